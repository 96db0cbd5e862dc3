import type { Quality } from '#shared/reading.ts';

/**
 * A settled level of one bin: what settling makes of samples, and what a line of a recording holds.
 * `value` is in the bin's unit, and `null` exactly where nothing could be measured.
 */
export interface Level {
  /** Device time of the newest sample, ms since 1970 UTC. */
  readonly at: number;
  readonly value: number | null;
  readonly samples: number;
  /** Standard deviation of one sample. */
  readonly spread: number;
  readonly quality: Quality;
}

/**
 * Pools two sets of samples of the same level: the mean and standard deviation of them all.
 * @param a at least one sample; so has `b`, and `b` is the newer one
 * Source: Chan, Golub, LeVeque, Updating formulae and a pairwise algorithm for computing sample
 * variances, Stanford 1979, eq. 2.1
 */
export function pooled(
  a: Level & { value: number },
  b: Level & { value: number },
): Level & {
  value: number;
} {
  const samples = a.samples + b.samples;
  const apart = b.value - a.value;
  const squares =
    a.spread ** 2 * Math.max(0, a.samples - 1) +
    b.spread ** 2 * Math.max(0, b.samples - 1) +
    (apart ** 2 * a.samples * b.samples) / samples;
  return {
    at: b.at,
    value: a.value + (apart * b.samples) / samples,
    samples,
    spread: Math.sqrt(squares / (samples - 1)),
    quality: b.quality,
  };
}

/** Variance of the mean of the samples of a level. */
export function meanVariance(level: Pick<Level, 'samples' | 'spread'>): number {
  return level.spread ** 2 / Math.max(1, level.samples);
}
