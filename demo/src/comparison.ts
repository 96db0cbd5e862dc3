import type { TruthEvent } from './truth.ts';

/** What the API says of one product at one place. */
export interface Measured {
  readonly key: string;
  readonly unit: string;
  readonly consumed: number;
}

export interface ComparisonRow {
  readonly key: string;
  readonly unit: string;
  readonly truth: number;
  readonly measured: number;
  /** |measured − truth| / truth, percent */
  readonly errorPercent: number;
}

/** Truth beside measurement, a row for each key that either of them knows. */
export function compare(
  events: readonly TruthEvent[],
  measured: readonly Measured[],
  keyOf: (event: TruthEvent) => string,
): ComparisonRow[] {
  const truth = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== 'consumption') continue;
    const key = keyOf(event);
    truth.set(key, (truth.get(key) ?? 0) - event.quantity);
  }
  const rows = new Map(measured.map((row) => [row.key, row]));
  return [...new Set([...truth.keys(), ...rows.keys()])].toSorted().map((key) => {
    const wanted = truth.get(key) ?? 0;
    const { consumed = 0, unit = '' } = rows.get(key) ?? {};
    const errorPercent = (100 * Math.abs(consumed - wanted)) / Math.max(wanted, 1);
    return { key, unit, truth: wanted, measured: consumed, errorPercent };
  });
}

/** Σ|measured − truth| / Σ truth over rows of one unit, percent. */
export function grossErrorPercent(rows: readonly ComparisonRow[]): number {
  const off = rows.reduce((sum, row) => sum + Math.abs(row.measured - row.truth), 0);
  const truth = rows.reduce((sum, row) => sum + row.truth, 0);
  return (100 * off) / Math.max(truth, 1);
}
