import { HOUR_MS } from '#shared/units.ts';
import type { FoldState } from './state.ts';

/**
 * A tool, a lid, a box laid onto the goods: it came in one step and leaves in one. Where its mass
 * was no whole number of pieces for sure, it is remembered for a while; a step that takes the same
 * mass away again was not consumption.
 */
export interface Passing {
  readonly at: number;
  /** Change of level. */
  readonly level: number;
  /** What was booked for it, in the product's unit. */
  readonly quantity: number;
}

/** Half a shift: what lies longer is there to stay. */
const PASSING_MS = 4 * HOUR_MS;
/** Both steps are measured; 4 standard deviations of their difference, squared. */
const SAME_SQUARED = 16 * 2;

/** @returns what may be leaving at `at`, if anything that came recently may */
export function passingAt(state: FoldState, at: number): Passing | null {
  const { passing } = state;
  if (passing !== null && at - passing.at > PASSING_MS) state.passing = null;
  return state.passing;
}

/** @param variance of `change` from noise and drift alone: the same thing weighs the same */
export function isReversal(passing: Passing, change: number, variance: number): boolean {
  const error = change + passing.level;
  return error * error <= SAME_SQUARED * variance;
}
