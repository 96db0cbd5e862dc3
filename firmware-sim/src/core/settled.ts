import type { BinId } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';
import type { Display } from './indicator.ts';

/**
 * The reading that an indicator with a memory logs: the mean of some samples and their spread.
 * @param samples at least one
 * @param changed whether the content changed between the first and the last of them
 */
export function settledReading(
  bin: BinId,
  at: number,
  samples: readonly Display[],
  changed: boolean,
): Omit<Reading, 'synced'> {
  if (samples.some((sample) => sample.cellError)) {
    return { bin, at, value: null, unit: 'mg', samples: 0, spread: 0, quality: 'comm-error' };
  }
  for (const quality of ['overload', 'underload'] as const) {
    if (samples.some((sample) => sample[quality])) {
      return { bin, at, value: null, unit: 'mg', samples: 0, spread: 0, quality };
    }
  }
  const count = samples.length;
  const mean = samples.reduce((sum, sample) => sum + sample.grossMg, 0) / count;
  const squares = samples.reduce((sum, sample) => sum + (sample.grossMg - mean) ** 2, 0);
  const moving = changed || samples.some((sample) => !sample.stable);
  return {
    bin,
    at,
    value: Math.round(mean),
    unit: 'mg',
    samples: count,
    spread: count > 1 ? Math.round(Math.sqrt(squares / (count - 1))) : 0,
    quality: moving ? 'unstable' : 'good',
  };
}
