import type { ReadingUnit } from '#shared/units.ts';
import type { AppliedSetup } from './state.ts';

/**
 * A level is gross mass in 1/256 mg, an integer: so fine that rounding a tracked mean loses nothing
 * beside the smallest noise. Variances are squared levels; beyond 2^53, for pieces above 20 kg, they
 * are still exact in JSON and the same on every engine, only not to the last digit.
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

/** A counting scale rounds to whole pieces, but tells neighbours apart by a part of a piece. */
const COUNT_SHARPNESS = 4;

/** Width within which a value's true level lies, levels. */
export function resolutionOf(unit: ReadingUnit, levels: number): number {
  return unit === 'count' ? levels / COUNT_SHARPNESS : levels;
}

/** Gross level of a value: counts and permille are net, so the container is added to them. */
export function levelOf(value: number, unit: ReadingUnit, setup: AppliedSetup): number {
  const container = unit === 'mg' ? 0 : setup.tareMg * LEVELS_PER_MG;
  return Math.round(value * levelsPer(unit, setup)) + container;
}
