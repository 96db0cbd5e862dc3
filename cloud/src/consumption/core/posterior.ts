/** Which whole number of pieces a change of level is. */
export interface Verdict {
  /** Change in pieces; negative where some were taken. */
  readonly pieces: number;
  /** Whether it is likelier something that is not whole pieces: a tool, a lid, a hand. */
  readonly alien: boolean;
  /** Posterior probability of the verdict, 0 … 1. */
  readonly confidence: number;
  /** Probability of `pieces` if it is whole pieces at all. */
  readonly ifWhole: number;
  /** Variance of the change if it is that many pieces, squared levels. */
  readonly variance: number;
}

/**
 * Prior weights of a change that has been seen to last, relative to one certain number taken:
 * nothing moved (most changes of a noisy scale), and one certain number added (rare).
 */
const PRIOR_NOTHING = 8;
const PRIOR_ADDED = 0.25;
/** Prior weight of an alien per piece of range: one change in a hundred. */
const PRIOR_ALIEN = 0.01;
/** Odds from which it is an alien: 99 %, as for whole pieces. */
const CLEARLY = 99;
const SQRT_TWO_PI = 2.506628274631;
/** Neighbours on either side whose weights are summed. */
const NEIGHBOURS = 3;
/** Nothing is measured finer than this part of a piece: rounding, dirt, an uneven floor. */
const FINEST_PART = 64;

/**
 * e^−x, by its series after halving x six times: the same bits on every engine.
 * @param x ≥ 0; absolute error < 1e-6
 */
export function decay(x: number): number {
  if (x > 40) return 0;
  const y = x / 64;
  let power = 1 - y * (1 - (y / 2) * (1 - (y / 3) * (1 - (y / 4) * (1 - y / 5))));
  for (let i = 0; i < 6; i += 1) power *= power;
  return power;
}

function prior(pieces: number): number {
  if (pieces === 0) return PRIOR_NOTHING;
  return pieces < 0 ? 1 : PRIOR_ADDED;
}

/**
 * @param change of level between two plateaus
 * @param variance of `change` from noise and drift, squared levels
 * @param piece weight of a piece, its variance as far as known, and the scatter of single pieces
 */
export function judge(
  change: number,
  variance: number,
  piece: { readonly level: number; readonly variance: number; readonly scatter: number },
): Verdict {
  const { level: weight } = piece;
  const nearest = Math.round(change / weight);
  const finest = weight / FINEST_PART;
  const total =
    variance +
    finest * finest +
    Math.abs(nearest) * piece.scatter +
    nearest * nearest * piece.variance;
  let best = nearest;
  let bestWeight = 0;
  let sum = 0;
  for (let pieces = nearest - NEIGHBOURS; pieces <= nearest + NEIGHBOURS; pieces += 1) {
    const error = change - pieces * weight;
    const likelihood = prior(pieces) * decay((error * error) / (2 * total));
    sum += likelihood;
    if (likelihood > bestWeight) {
      best = pieces;
      bestWeight = likelihood;
    }
  }
  // Where the change is less sure than the neighbours reach, all numbers within are alike.
  const width = (SQRT_TWO_PI * Math.sqrt(total)) / weight;
  if (width > NEIGHBOURS) sum = Math.max(sum, width * prior(nearest));
  const alien = nearest === 0 ? 0 : PRIOR_ALIEN * width;
  // Far off any number, but less than half a piece: nothing whole can have moved.
  if (sum + alien === 0) {
    return { pieces: 0, alien: false, confidence: 1, ifWhole: 1, variance: total };
  }
  const ifWhole = sum > 0 ? bestWeight / sum : 0;
  const isAlien = alien > CLEARLY * sum;
  const confidence = (isAlien ? alien : bestWeight) / (sum + alien);
  return { pieces: best, alien: isAlien, confidence, ifWhole, variance: total };
}
