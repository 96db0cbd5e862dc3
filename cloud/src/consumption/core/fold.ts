import type { ReadingUnit } from '#shared/units.ts';
import type { FoldOutput } from './journal.ts';
import { LEVELS_PER_MG, levelOf, levelsPer, resolutionOf } from './level.ts';
import type { BinSetup, FoldReading } from './model.ts';
import { learnDivision, learnFromSingle, readingVariance } from './noise.ts';
import { applySetup, open, retell } from './opening.ts';
import type { Sight } from './plateau.ts';
import { addExposure, closeRollups } from './rollup.ts';
import type { AppliedSetup, FoldState } from './state.ts';
import { place, SILENCE_MS } from './succession.ts';

export type { FoldOutput } from './journal.ts';
export { newestAt, openRollup, parseFold, serializeFold, startFold, stockOf } from './state.ts';
export type { FoldState } from './state.ts';

/**
 * Folds one reading into a bin's ledger. A pure function of state, setups and reading: the same
 * readings give the same movements bit for bit, however they are batched.
 * @param state is changed
 * @param setups the bin's dated setups, oldest first; readings before the first are ignored
 * @param reading newer than all before
 * @param out is appended to
 * @throws RangeError where the reading is not newer: the caller's mistake
 */
export function foldReading(
  state: FoldState,
  setups: readonly BinSetup[],
  reading: FoldReading,
  out: FoldOutput,
): void {
  const { at } = reading;
  if (at <= state.newestAt) throw new RangeError(`reading at ${at} is not after ${state.newestAt}`);
  const setup = setupAt(setups, at);
  if (setup === undefined) return;
  watch(state, at);
  if (!isApplied(state.setup, setup)) applySetup(state, setup, out);
  const sight = sightOf(state, setup, reading);
  if (sight === null) {
    if (state.blindSince === 0) state.blindSince = at;
  } else {
    see(state, setup, sight, reading.unit, out);
    state.goodAt = at;
    state.blindSince = 0;
  }
  state.newestAt = at;
  state.quality = reading.quality;
  closeRollups(state, state.candidate === null ? at : state.candidate.from, out.rollups);
}

/** The newest setup from `at` or before. */
function setupAt(setups: readonly BinSetup[], at: number): BinSetup | undefined {
  for (let i = setups.length - 1; i >= 0; i -= 1) {
    const setup = setups[i];
    if (setup !== undefined && setup.from <= at) return setup;
  }
  return undefined;
}

function isApplied(applied: AppliedSetup | null, setup: BinSetup): boolean {
  return (
    applied !== null &&
    applied.from === setup.from &&
    applied.tareMg === setup.tareMg &&
    applied.pieceMassMg === setup.pieceMassMg &&
    applied.capacityMg === setup.capacityMg &&
    applied.unit === setup.unit &&
    applied.product === setup.product
  );
}

/** Counts the time since the newest reading as exposure, if that one could see goods. */
function watch(state: FoldState, at: number): void {
  const { goodAt, stock } = state;
  if (goodAt === 0 || goodAt !== state.newestAt || stock === 0) return;
  addExposure(state, goodAt, Math.min(at, goodAt + SILENCE_MS));
}

/** @returns what can be used of a reading: `null` for a bad one, or where the container is off */
function sightOf(state: FoldState, setup: AppliedSetup, reading: FoldReading): Sight | null {
  const { at, value, unit, samples, quality } = reading;
  if (quality !== 'good' || value === null || samples === 0) return null;
  const levels = levelsPer(unit, setup);
  if (levels === 0) return null;
  const level = levelOf(value, unit, setup);
  // Half the container, or where the scale is tared to it, 1/50 of the capacity, below nothing.
  const missing = Math.max(setup.tareMg / 2, setup.capacityMg / 50);
  if (level < (setup.tareMg - missing) * LEVELS_PER_MG) return null;
  const spread = Math.round(reading.spread * levels);
  const variance = readingVariance(state.noise, samples, spread, resolutionOf(unit, levels));
  return { at, level, variance, samples, spread };
}

function see(
  state: FoldState,
  setup: AppliedSetup,
  sight: Sight,
  unit: ReadingUnit,
  out: FoldOutput,
): void {
  if (state.unit !== unit) {
    const known = state.unit !== null;
    state.unit = unit;
    if (known) retell(state, sight.at, true, out);
  }
  const { plateau } = state;
  if (plateau === null) {
    open(state, sight, out);
    return;
  }
  const { piece } = state;
  const halfPiece = piece === null ? Infinity : piece.level / 2;
  const smallest = smallestGoods(setup, halfPiece);
  if (sight.samples === 1) learnFromSingle(state.noise, sight.level, 4 * smallest);
  else learnDivision(state.noise, sight.level, sight.spread, smallest);
  place(state, setup, plateau, sight, halfPiece, out);
}

/** Steps of this many levels or more may be goods, smaller ones are the scale's. */
function smallestGoods(setup: AppliedSetup, halfPiece: number): number {
  return Math.min(halfPiece / 4, (setup.capacityMg * LEVELS_PER_MG) / 1_000);
}
