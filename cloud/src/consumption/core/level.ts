import type { ReadingUnit } from '#shared/units.ts';
import type { AppliedSetup } from './state.ts';

/**
 * A level is gross mass in 1/256 mg, an integer: fine enough that rounding a tracked mean loses
 * nothing beside the smallest noise, coarse enough that the variance of a 300 g noise, in squared
 * levels, is still a safe integer.
 */
export const LEVELS_PER_MG = 256;

export function massMg(level: number): number {
  return Math.round(level / LEVELS_PER_MG);
}

/**
 * @returns levels per unit of a reading's value, or 0 where the unit does not fit the product
 * Counts weigh the nominal piece; permille are a share of the capacity.
 */
export function levelsPer(unit: ReadingUnit, setup: AppliedSetup): number {
  if (unit === 'mg') return LEVELS_PER_MG;
  if (unit === 'count') return (setup.pieceMassMg ?? 0) * LEVELS_PER_MG;
  return (setup.capacityMg * LEVELS_PER_MG) / 1_000;
}

/** Gross level of a value: counts and permille are net, so the container is added to them. */
export function levelOf(value: number, unit: ReadingUnit, setup: AppliedSetup): number {
  const container = unit === 'mg' ? 0 : setup.tareMg * LEVELS_PER_MG;
  return Math.round(value * levelsPer(unit, setup)) + container;
}
