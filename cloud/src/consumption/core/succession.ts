import { MINUTE_MS, SECOND_MS } from '#shared/units.ts';
import { bookBulkStep, bookTrickle, isClearChange } from './bulk.ts';
import type { FoldOutput } from './journal.ts';
import { LEVELS_PER_MG } from './level.ts';
import { learnDrift, learnSpread } from './noise.ts';
import { bookStep, isPassingOnly, isTapped, judgeStep, SURE } from './pieces.ts';
import { distance, startCandidate, track, varianceBy } from './plateau.ts';
import type { Candidate, Plateau, Sight } from './plateau.ts';
import type { AppliedSetup, FoldState } from './state.ts';

/**
 * Without a reading for so long the scale was not watched: three heartbeats of the slowest kind,
 * 600 s. Also the most exposure that two readings bound.
 */
export const SILENCE_MS = 30 * MINUTE_MS;
/** Unusable readings for so long are a fault; for less, someone is at the bin. */
const BLIND_MS = 2 * MINUTE_MS;
/**
 * A change must be seen to last: a hand leans for 10 to 60 s and needs some of them to settle; the
 * quickest heartbeat is 60 s.
 */
const HOLD_MS = 45 * SECOND_MS;
/** A level that ends with another one lasted as long as no other was reported: 1.5 heartbeats. */
const SILENT_HOLD_MS = 90 * SECOND_MS;
/** A change that stays unclear for longer is booked as what is likeliest, with its bounds. */
const PATIENCE_MS = 15 * MINUTE_MS;
/** Samples that a candidate needs: 8 single ones, as the research page has it. */
const ENOUGH_SAMPLES = 8;
/** Samples of one settled reading, as agents report them. */
const SETTLED_SAMPLES = 5;

/**
 * Gives a reading to the plateau, to the candidate, or to a new candidate, and books the candidate
 * once it is sure to follow the plateau.
 * @param halfPiece levels; Infinity for bulk
 */
export function place(
  state: FoldState,
  setup: AppliedSetup,
  plateau: Plateau,
  sight: Sight,
  halfPiece: number,
  out: FoldOutput,
): void {
  const drift = state.noise.driftPerSecond;
  const { candidate } = state;
  const toPlateau = distance(plateau, sight, drift, halfPiece);
  const toCandidate = candidate === null ? Infinity : distance(candidate, sight, drift, halfPiece);
  if (candidate !== null && toCandidate < toPlateau) {
    track(candidate, sight, drift);
    candidate.weight += sight.samples;
    ripen(state, setup, plateau, candidate, out);
  } else if (toPlateau < Infinity) {
    stay(state, setup, plateau, sight, out);
  } else if (candidate !== null && leave(state, setup, plateau, candidate, sight, out)) {
    // The candidate has become the plateau: the reading is placed beside it.
    place(state, setup, plateau, sight, halfPiece, out);
  } else {
    const unseen = candidate?.unseen === true || wasBlind(state, sight.at);
    state.candidate = startCandidate(sight, candidate?.leftAt ?? sight.at, unseen);
  }
}

function wasBlind(state: FoldState, at: number): boolean {
  if (at - state.goodAt > SILENCE_MS) return true;
  return state.blindSince > 0 && at - state.blindSince > BLIND_MS;
}

function stay(
  state: FoldState,
  setup: AppliedSetup,
  plateau: Plateau,
  sight: Sight,
  out: FoldOutput,
): void {
  const { noise, piece } = state;
  const expected = varianceBy(plateau, sight.at, noise.driftPerSecond) + sight.variance;
  const error = sight.level - plateau.level;
  if (sight.samples > 1) learnSpread(noise, sight.spread);
  learnDrift(noise, error * error, expected, mostDrift(setup, state));
  track(plateau, sight, noise.driftPerSecond);
  state.candidate = null;
  settleOpening(state, sight.at, HOLD_MS);
  if (piece === null) bookTrickle(state, setup, plateau, out);
}

/** A zero that walks a quarter of a piece, or 1/1000 of the capacity, in an hour is no scale. */
function mostDrift(setup: AppliedSetup, { piece }: FoldState): number {
  const step =
    piece === null ? (setup.capacityMg * LEVELS_PER_MG) / 1_000 : Math.max(64, piece.level / 4);
  return Math.max(64, Math.round((step * step) / 3_600));
}

/** Decides on a candidate that has been seen again, if it has lasted and is clear enough. */
function ripen(
  state: FoldState,
  setup: AppliedSetup,
  plateau: Plateau,
  candidate: Candidate,
  out: FoldOutput,
): void {
  const { from, at, weight, leftAt } = candidate;
  if (at - from < HOLD_MS || weight < ENOUGH_SAMPLES) return;
  const { piece } = state;
  if (piece === null) {
    settleOpening(state, from, SILENT_HOLD_MS);
    bookBulkStep(state, setup, plateau, candidate, out);
    return;
  }
  const step = judgeStep(state, piece, plateau, candidate);
  if (step.confidence >= SURE || !step.improvable || at - leftAt > PATIENCE_MS) {
    settleOpening(state, candidate.from, SILENT_HOLD_MS);
    bookStep(state, piece, plateau, candidate, step, out);
  }
}

/**
 * Decides on a candidate that has been left for yet another level.
 * @returns whether it was booked; otherwise it is forgotten, and the next one tells the whole
 */
function leave(
  state: FoldState,
  setup: AppliedSetup,
  plateau: Plateau,
  candidate: Candidate,
  sight: Sight,
  out: FoldOutput,
): boolean {
  const { piece } = state;
  // Counted to the reading before: a silence is no sign that anything lasted.
  const impatient = state.goodAt - candidate.leftAt > PATIENCE_MS;
  const rise = candidate.level - plateau.level;
  // What rose and is mostly gone again was no goods, however long it lay there.
  const gone = rise > 0 && (sight.level - plateau.level) * 2 < rise;
  const silent = state.blindSince === 0 && sight.at - state.goodAt <= SILENCE_MS;
  const lasted = silent && !gone && sight.at - candidate.from >= SILENT_HOLD_MS;
  // Goods that go on leaving do not lean: what had left before is not coming back.
  const falling = rise < 0 && sight.level < candidate.level;
  const tapped = piece !== null && isTapped(piece, plateau, candidate, sight);
  if (!impatient && !lasted && !falling && !tapped) return false;
  if (candidate.weight < SETTLED_SAMPLES) return false;
  if (piece === null) {
    if (!isClearChange(state, plateau, candidate)) return false;
    settleOpening(state, candidate.from, SILENT_HOLD_MS);
    bookBulkStep(state, setup, plateau, candidate, out);
    return true;
  }
  const step = judgeStep(state, piece, plateau, candidate);
  const sure = !step.alien && (step.confidence >= SURE || !step.improvable);
  if (!impatient && !sure && !isPassingOnly(state, piece, candidate, step)) return false;
  settleOpening(state, candidate.from, SILENT_HOLD_MS);
  bookStep(state, piece, plateau, candidate, step, out);
  return true;
}

/** An opening level was stock, not a hand, once it was seen again, or nothing else for longer. */
function settleOpening(state: FoldState, at: number, holdMs: number): void {
  if (at - state.bookedAt >= holdMs) state.firm = true;
}
