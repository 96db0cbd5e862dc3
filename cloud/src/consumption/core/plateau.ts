import { SECOND_MS } from '#shared/units.ts';

/** A level at which the bin rests, tracked through noise and drift (a Kalman filter, 1 state). */
export interface Plateau {
  level: number;
  /** Variance of `level` at `at`, squared levels. */
  variance: number;
  /** Newest reading that belongs to it. */
  at: number;
}

/** A plateau that may follow the present one. */
export interface Candidate extends Plateau {
  /** Its first reading. */
  readonly from: number;
  /** When the present plateau was left, maybe for other candidates before this one. */
  readonly leftAt: number;
  /** Whether the scale was not watched for a while between the present plateau and this one. */
  readonly unseen: boolean;
  /** Samples averaged. */
  weight: number;
}

/** One reading as the plateaus see it. */
export interface Sight {
  readonly at: number;
  readonly level: number;
  /** Of the level, squared levels. */
  readonly variance: number;
  readonly samples: number;
  /** Of one sample, levels. */
  readonly spread: number;
}

/** K² of the research page's K = 5: noise leaves this band once in 1.7 million readings. */
const STAY_SQUARED = 25;

/** Variance of where the plateau is by `at`. */
export function varianceBy(plateau: Plateau, at: number, driftPerSecond: number): number {
  return plateau.variance + (driftPerSecond * (at - plateau.at)) / SECOND_MS;
}

/**
 * How far a reading lies from a plateau: squared error over its variance; Infinity beyond the
 * noise or beyond half a piece, where tracking would swallow goods.
 * @param halfPiece levels; Infinity for bulk
 */
export function distance(
  plateau: Plateau,
  sight: Sight,
  driftPerSecond: number,
  halfPiece: number,
): number {
  const error = sight.level - plateau.level;
  const squared = error * error;
  const variance = varianceBy(plateau, sight.at, driftPerSecond) + sight.variance;
  if (squared > STAY_SQUARED * variance || squared > halfPiece * halfPiece) return Infinity;
  return squared / variance;
}

/** Moves the plateau towards a reading by as much as either is uncertain. */
export function track(plateau: Plateau, sight: Sight, driftPerSecond: number): void {
  const prior = varianceBy(plateau, sight.at, driftPerSecond);
  const gain = prior / (prior + sight.variance);
  plateau.level += Math.round((sight.level - plateau.level) * gain);
  plateau.variance = Math.max(1, Math.round(sight.variance * gain));
  plateau.at = sight.at;
}

export function startCandidate(sight: Sight, leftAt: number, unseen: boolean): Candidate {
  const { at, level, variance, samples } = sight;
  return { from: at, at, leftAt, level, variance, unseen, weight: samples };
}
