import { adjust, post, type FoldOutput } from './journal.ts';
import { LEVELS_PER_MG, massMg } from './level.ts';
import type { MovementKind } from './model.ts';
import { expectNewLot, learnPiece, type PieceWeight } from './piece-weight.ts';
import { varianceBy, type Candidate, type Plateau, type Sight } from './plateau.ts';
import { judge, type Verdict } from './posterior.ts';
import { isReversal, passingAt } from './reversal.ts';
import type { FoldState } from './state.ts';

/** Posterior from which a change is booked as exactly that many pieces (research page, step 3). */
export const SURE = 0.99;
/** Posterior from which a change teaches the weight of a piece (step 4). */
const BEYOND_DOUBT = 0.999;
/** Two-sided 99 % of the normal distribution, in standard deviations. */
const SIGMAS_99 = 2.576;
/** Pieces taken along with what leaves are at most this part of it. */
const FEW_PART = 20;
/** An indicator of class III resolves at most 3,000 divisions (OIML R 76-1, table 3). */
const DIVISIONS = 3_000;

/** A change from the plateau to the candidate, and what it is held to be. */
export interface Step extends Verdict {
  /** Levels. */
  readonly change: number;
  /** Variance of `change` from noise and drift alone, squared levels. */
  readonly noise: number;
  /** Whether averaging the candidate for longer could make the verdict surer. */
  readonly improvable: boolean;
}

export function judgeStep(
  state: FoldState,
  piece: PieceWeight,
  plateau: Plateau,
  candidate: Candidate,
): Step {
  const change = candidate.level - plateau.level;
  const before = varianceBy(plateau, candidate.from, state.noise.driftPerSecond);
  const noise = before + candidate.variance;
  const verdict = judge(change, noise, piece);
  return { ...verdict, change, noise, improvable: candidate.variance * 4 > verdict.variance };
}

/** Books a step and moves the plateau to where the candidate is. */
export function bookStep(
  state: FoldState,
  piece: PieceWeight,
  plateau: Plateau,
  candidate: Candidate,
  whole: Step,
  out: FoldOutput,
): void {
  const from = plateau.at;
  const at = candidate.from;
  state.candidate = null;
  const step = bookReversal(state, piece, { from, at }, whole, out);
  const { pieces, alien, change } = step;
  if (pieces === 0) {
    moveTo(plateau, candidate);
    return;
  }
  if (state.stock + pieces < 0) adjust(state, out, { from, at, quantity: -state.stock - pieces });
  const kind = kindOf(state, step);
  const [low, high] = bounds(state, piece, candidate, step);
  const { confidence } = step;
  const mass = massMg(change);
  post(state, out, { kind, from, at, quantity: pieces, low, high, massMg: mass, confidence });
  state.firm = true;
  if (alien || (kind === 'refill' && confidence < SURE)) {
    state.passing = { at, level: change, quantity: pieces };
  }
  if (alien) {
    moveTo(plateau, candidate);
    return;
  }
  const error = change - pieces * piece.level;
  rest(plateau, candidate, error, step.variance);
  if (step.ifWhole >= BEYOND_DOUBT) learnPiece(piece, pieces, error, step.variance);
  if (kind === 'refill') expectNewLot(piece);
  if (!candidate.unseen && state.passing === null) reconcile(state, piece, plateau, out);
}

/**
 * @returns what is left of a step without the thing that came before and leaves by it, alone or
 * with a few pieces; `null` where nothing does
 */
function withoutPassing(state: FoldState, piece: PieceWeight, at: number, step: Step): Step | null {
  const passing = passingAt(state, at);
  if (passing === null || step.pieces * passing.quantity > 0) return null;
  const change = step.change + passing.level;
  const left = judge(change, step.noise, piece);
  const leaves =
    left.pieces === 0
      ? isReversal(passing, step.change, step.noise)
      : Math.abs(left.pieces) * FEW_PART <= Math.abs(passing.quantity);
  return leaves ? { ...left, change, noise: step.noise, improvable: false } : null;
}

/**
 * Whether a few whole pieces leave a rise that has not lasted yet: goods, then, that someone takes
 * from while they are filled in. A hand that eases is no whole number of pieces.
 */
export function isTapped(
  piece: PieceWeight,
  plateau: Plateau,
  candidate: Candidate,
  sight: Sight,
): boolean {
  const rise = candidate.level - plateau.level;
  const fall = candidate.level - sight.level;
  if (fall <= 0 || fall * FEW_PART > rise) return false;
  const { pieces, alien, confidence } = judge(-fall, candidate.variance + sight.variance, piece);
  return pieces < 0 && !alien && confidence >= SURE;
}

/** Whether exactly what came before leaves again: as sure as whole pieces are. */
export function isPassingOnly(
  state: FoldState,
  piece: PieceWeight,
  candidate: Candidate,
  step: Step,
): boolean {
  return withoutPassing(state, piece, candidate.from, step)?.pieces === 0;
}

/** Books what leaves again; @returns what is left of the step */
function bookReversal(
  state: FoldState,
  piece: PieceWeight,
  { from, at }: { from: number; at: number },
  step: Step,
  out: FoldOutput,
): Step {
  const left = withoutPassing(state, piece, at, step);
  const { passing } = state;
  if (left === null || passing === null) return step;
  const quantity = Math.max(-passing.quantity, -state.stock);
  post(state, out, {
    kind: 'unexplained',
    from,
    at,
    quantity,
    low: Math.min(0, quantity),
    high: Math.max(0, quantity),
    massMg: -massMg(passing.level),
    confidence: left.confidence,
  });
  state.passing = null;
  return left;
}

function kindOf(state: FoldState, { alien, pieces }: Step): MovementKind {
  if (!state.firm) return 'adjustment';
  if (alien) return 'unexplained';
  return pieces < 0 ? 'consumption' : 'refill';
}

/**
 * What the quantity may be: exactly known, uncertain by measurement, or by what nobody watched.
 * While the scale was blind all that was there may have been taken and replaced.
 */
function bounds(
  state: FoldState,
  piece: PieceWeight,
  candidate: Candidate,
  { pieces, alien, confidence, variance }: Step,
): [low: number, high: number] {
  if (alien) return [Math.min(0, pieces), Math.max(0, pieces)];
  let slack = 0;
  if (confidence < SURE) {
    slack = Math.max(1, Math.round((SIGMAS_99 * Math.sqrt(variance)) / piece.level));
  }
  if (pieces < 0) {
    const low = candidate.unseen ? Math.min(pieces, -state.stock) : pieces;
    return [low - slack, Math.min(0, pieces + slack)];
  }
  return [Math.max(0, pieces - slack), pieces + slack + (candidate.unseen ? state.stock : 0)];
}

function moveTo(plateau: Plateau, candidate: Candidate): void {
  plateau.level = candidate.level;
  plateau.variance = candidate.variance;
  plateau.at = candidate.at;
}

/**
 * The zero does not jump because goods were taken: what was known of the level before the step
 * counts after it as well, so that errors of single steps do not add up.
 */
function rest(plateau: Plateau, candidate: Candidate, error: number, variance: number): void {
  const prior = variance - candidate.variance;
  const gain = prior / variance;
  plateau.level = candidate.level - error + Math.round(error * gain);
  plateau.variance = Math.max(1, Math.round(candidate.variance * gain));
  plateau.at = candidate.at;
}

/**
 * Anchors the count to the absolute level: where it contradicts the learned weight by more than
 * three standard deviations of weight, scatter and one division of zero, the level is right.
 * So a wrong catalogue weight cannot leave the opening stock wrong for ever.
 */
function reconcile(state: FoldState, piece: PieceWeight, plateau: Plateau, out: FoldOutput): void {
  if (state.setup === null || piece.variance === 0) return;
  const { stock, setup } = state;
  const weighed = (plateau.level - setup.tareMg * LEVELS_PER_MG) / piece.level;
  const off = weighed - stock;
  const division = (setup.capacityMg * LEVELS_PER_MG) / DIVISIONS;
  const pieces = Math.max(stock, weighed, 0);
  const variance = pieces * pieces * piece.variance + pieces * piece.scatter + division * division;
  const sigma = Math.sqrt(variance) / piece.level;
  if (Math.abs(off) <= 0.5 + 3 * sigma) return;
  const quantity = Math.max(0, Math.round(weighed)) - stock;
  if (quantity === 0) return;
  const at = state.bookedAt;
  adjust(state, out, { from: at, at, quantity, slack: Math.round(SIGMAS_99 * sigma) });
}
