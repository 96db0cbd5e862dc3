import { LEVELS_PER_MG } from './level.ts';

/** What is known of a bin's scale: how much it scatters and how fast its zero walks. */
export interface Noise {
  /** Variance of one sample, squared levels. */
  sampleVariance: number;
  /** Smallest step between two readings without any scatter, levels; 0 while none was seen. */
  division: number;
  /** The newest level where it showed no scatter: all samples alike, or a single one. */
  exactLevel: number | null;
  /** Growth of the variance of the level per second without movement, squared levels. */
  driftPerSecond: number;
}

/** An averaged reading's samples are not independent for ever: more count as this many. */
const MOST_SAMPLES = 120;
/** Weight of a reading in the running variance is 1 in this: an hour at one reading in 4 min. */
const VARIANCE_MEMORY = 16;
/** A reading's variance counts at most as this many times the running one: outliers. */
const VARIANCE_CLIP = 9;
/** A rectangular distribution of width 1 has the variance 1/12; the finest step is 1 mg. */
const FINEST_VARIANCE = (LEVELS_PER_MG * LEVELS_PER_MG) / 12;
/** First guess: in 10 min the zero walks a quarter of one sample's standard deviation. */
const FIRST_DRIFT_SHARE = 16 * 600;
/** 2 mg/√h, less than any scale that weighs grams. */
const LEAST_DRIFT = 64;
/** Median of the chi-squared distribution with one degree of freedom. */
const MEDIAN_CHI_SQUARED = 0.455;
/** Relative change of the drift per reading: reacts within about 50 readings. */
const DRIFT_STEP = 32;

export function startNoise(noise: Noise, spread: number): void {
  noise.sampleVariance = spread * spread;
  noise.driftPerSecond = Math.max(LEAST_DRIFT, Math.round((spread * spread) / FIRST_DRIFT_SHARE));
}

/**
 * Variance of a reading's mean.
 * @param spread of one sample, levels
 * @param resolution width of the reading's rounding, levels
 * Where samples scatter less than a division, they all show the same and averaging hides nothing.
 */
export function readingVariance(
  noise: Noise,
  samples: number,
  spread: number,
  resolution: number,
): number {
  const variance =
    Math.max(noise.sampleVariance, spread * spread) / Math.min(samples, MOST_SAMPLES);
  const rounding = spread < noise.division ? (noise.division * noise.division) / 12 : 0;
  const step = resolution > LEVELS_PER_MG ? (resolution * resolution) / 12 : FINEST_VARIANCE;
  return Math.round(variance + rounding + step);
}

/** Learns the scale's division from readings that do not scatter; steps ≥ `limit` are goods. */
export function learnDivision(noise: Noise, level: number, spread: number, limit: number): void {
  if (spread > 0) {
    noise.exactLevel = null;
    return;
  }
  if (noise.exactLevel !== null) {
    const step = Math.abs(level - noise.exactLevel);
    if (step > 0 && step < limit && (noise.division === 0 || step < noise.division)) {
      noise.division = step;
    }
  }
  noise.exactLevel = level;
}

/** A single sample has no spread of its own: its distance from the one before tells. */
export function learnFromSingle(noise: Noise, level: number, limit: number): void {
  if (noise.exactLevel !== null) {
    const step = level - noise.exactLevel;
    if (Math.abs(step) < limit) remember(noise, (step * step) / 2);
  }
  noise.exactLevel = level;
}

export function learnSpread(noise: Noise, spread: number): void {
  remember(
    noise,
    Math.min(spread * spread, VARIANCE_CLIP * noise.sampleVariance + FINEST_VARIANCE),
  );
}

function remember(noise: Noise, variance: number): void {
  noise.sampleVariance += Math.round((variance - noise.sampleVariance) / VARIANCE_MEMORY);
}

/**
 * Tunes the drift so that half of the readings of a quiet bin fall within the quartiles foretold:
 * a sign test, which no outlier can mislead.
 * @param squaredError of the foretold level, of which the variance was `expected`
 * @param most highest drift, squared levels per second
 */
export function learnDrift(
  noise: Noise,
  squaredError: number,
  expected: number,
  most: number,
): void {
  const drift = noise.driftPerSecond;
  noise.driftPerSecond =
    squaredError > MEDIAN_CHI_SQUARED * expected
      ? Math.min(most, drift + Math.ceil(drift / DRIFT_STEP))
      : Math.max(LEAST_DRIFT, drift - Math.floor(drift / DRIFT_STEP));
}
