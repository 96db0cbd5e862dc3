import type { QuantityUnit } from '#shared/units.ts';
import type { ConsumptionRow } from '../../../src/http/contract.ts';

/** Colours beyond these cannot be told apart: the smallest groups are drawn as one. */
export const MOST_BARS = 7;

export interface Bar {
  /** Id of a group; null for all the others together. */
  readonly key: string | null;
  /** Consumed in each step, 0 where nothing was. */
  readonly amounts: readonly number[];
}

/**
 * Consumption by group and step, for stacked bars, the largest group first.
 * @param rows of one query with a step; other units than `unit` are left out
 * @param steps starts of the steps, oldest first
 */
export function stackOf(
  rows: readonly ConsumptionRow[],
  unit: QuantityUnit,
  steps: readonly number[],
): Bar[] {
  const groups = new Map<string, number[]>();
  for (const row of rows) {
    if (row.unit !== unit) continue;
    const index = stepAt(steps, row.from);
    if (index === -1) continue;
    const amounts = groups.get(row.key) ?? steps.map(() => 0);
    amounts[index] = (amounts[index] ?? 0) + row.consumed;
    groups.set(row.key, amounts);
  }
  const bars = [...groups]
    .map(([key, amounts]) => ({ key, amounts, sum: sumOf(amounts) }))
    .filter(({ sum }) => sum > 0)
    .sort((a, b) => b.sum - a.sum || a.key.localeCompare(b.key));
  const largest = bars.slice(0, MOST_BARS).map(({ key, amounts }): Bar => ({ key, amounts }));
  const others = bars.slice(MOST_BARS);
  if (others.length === 0) return largest;
  const together = steps.map((_, index) => sumOf(others.map(({ amounts }) => amounts[index] ?? 0)));
  return [...largest, { key: null, amounts: together }];
}

/** Speed in each step; null where nothing could have been seen. */
export function speedsOf(
  rows: readonly ConsumptionRow[],
  unit: QuantityUnit,
  steps: readonly number[],
): (number | null)[] {
  const speeds: (number | null)[] = steps.map(() => null);
  for (const row of rows) {
    const index = row.unit === unit ? stepAt(steps, row.from) : -1;
    if (index !== -1) speeds[index] = row.perDay;
  }
  return speeds;
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);

/** Index of the step that holds `at`, -1 before the first. */
function stepAt(steps: readonly number[], at: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
