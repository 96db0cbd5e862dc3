import { adjust, post, type FoldOutput } from './journal.ts';
import { LEVELS_PER_MG, massMg } from './level.ts';
import { varianceBy, type Candidate, type Plateau } from './plateau.ts';
import { decay } from './posterior.ts';
import { isReversal, passingAt } from './reversal.ts';
import type { AppliedSetup, FoldState } from './state.ts';

/**
 * Bulk goods have no lattice: stock is the level itself, booked whenever it has moved by more than
 * noise and drift explain since the last booking.
 */

/** Five standard deviations, squared, as for pieces. */
const CLEAR_SQUARED = 25;
/** The smallest amount worth an entry is this part of the capacity. */
const SMALLEST_PART = 2_000;
/** Bounds of a quantity, in standard deviations: two-sided 99 %. */
const SIGMAS_99 = 2.576;

export function isClearChange(state: FoldState, plateau: Plateau, candidate: Candidate): boolean {
  const change = candidate.level - plateau.level;
  return change * change > CLEAR_SQUARED * changeVariance(state, plateau, candidate);
}

function changeVariance(state: FoldState, plateau: Plateau, candidate: Candidate): number {
  const before = varianceBy(plateau, candidate.from, state.noise.driftPerSecond);
  return before + candidate.variance;
}

function netMg(level: number, setup: AppliedSetup): number {
  return Math.max(0, massMg(level) - setup.tareMg);
}

/** Books a step in full, with what had crept up before it, and moves the plateau. */
export function bookBulkStep(
  state: FoldState,
  setup: AppliedSetup,
  plateau: Plateau,
  candidate: Candidate,
  out: FoldOutput,
): void {
  const variance = changeVariance(state, plateau, candidate);
  const clear = isClearChange(state, plateau, candidate);
  const from = plateau.at;
  const change = candidate.level - plateau.level;
  state.candidate = null;
  plateau.level = candidate.level;
  plateau.variance = candidate.variance;
  plateau.at = candidate.at;
  if (!clear) return;
  const quantity = netMg(plateau.level, setup) - state.stock;
  if (quantity === 0) return;
  const sigmaMg = Math.sqrt(variance) / LEVELS_PER_MG;
  const slack = Math.ceil(SIGMAS_99 * sigmaMg);
  const blind = candidate.unseen ? state.stock : 0;
  const taken = quantity < 0;
  const passing = passingAt(state, candidate.from);
  const reversed = passing !== null && isReversal(passing, change, variance);
  const kind = reversed ? 'unexplained' : taken ? 'consumption' : 'refill';
  post(state, out, {
    kind: state.firm ? kind : 'adjustment',
    from,
    at: candidate.from,
    quantity,
    low: taken ? Math.min(quantity, -blind) - slack : Math.max(0, quantity - slack),
    high: taken ? Math.min(0, quantity + slack) : quantity + slack + blind,
    massMg: massMg(change),
    confidence: 1 - decay((change * change) / (2 * variance)),
  });
  state.firm = true;
  state.passing = taken || reversed ? null : { at: candidate.from, level: change, quantity };
}

/**
 * Books what trickled: a slow flow is never a step, since the plateau follows it. What creeps
 * upwards is the scale, not the goods.
 */
export function bookTrickle(
  state: FoldState,
  setup: AppliedSetup,
  plateau: Plateau,
  out: FoldOutput,
): void {
  const quantity = netMg(plateau.level, setup) - state.stock;
  if (Math.abs(quantity) * SMALLEST_PART < setup.capacityMg) return;
  const { bookedAt: from } = state;
  const { at } = plateau;
  const since = { ...plateau, at: from };
  const variance = varianceBy(since, at, state.noise.driftPerSecond);
  const levels = quantity * LEVELS_PER_MG;
  if (levels * levels <= CLEAR_SQUARED * variance) return;
  const slack = Math.ceil((SIGMAS_99 * Math.sqrt(variance)) / LEVELS_PER_MG);
  if (quantity > 0 || !state.firm) {
    adjust(state, out, { from, at, quantity, slack, massMg: quantity });
    return;
  }
  const confidence = 1 - decay((levels * levels) / (2 * variance));
  const low = quantity - slack;
  const high = Math.min(0, quantity + slack);
  post(state, out, {
    kind: 'consumption',
    from,
    at,
    quantity,
    low,
    high,
    massMg: quantity,
    confidence,
  });
}
