import type { Level } from './level.ts';
import type { BinRead } from './scale-read.ts';

/** One read of a scale or sensor, and the device's time of it. */
export interface Sample {
  /** ms since 1970 UTC. */
  readonly at: number;
  readonly read: BinRead;
}

/** Settling of one bin: the samples that may become the next settled level, in the bin's unit. */
export interface Settling {
  /** Newest stable samples, fewer than `minSamples`. */
  readonly plateau: readonly number[];
  /** Distances of successive stable samples, newest last: the scale's own noise. */
  readonly steps: readonly number[];
  /** Newest stable sample. */
  readonly newest: number | null;
  /** Samples since the last settled level. */
  readonly unsettled: number;
  /** The fault that was read last, and how many times in a row. */
  readonly fault: { readonly quality: Level['quality']; readonly times: number } | null;
}

export interface SettlingOptions {
  /** Samples that must agree, at least 2. */
  readonly minSamples: number;
  /** Smallest step of the display, in the bin's unit. */
  readonly division: number;
}

/** The median of so many steps is the noise; an odd number, and half a minute at 1 Hz. */
const NOISE_STEPS = 31;

/** Median of |a − b| of two normal samples, in standard deviations: √2 × 0.6745. */
const STEP_MEDIAN = 0.9539;

/** Five normal samples lie within 6 standard deviations of each other in 99.98 % of cases. */
const AGREEING_SIGMAS = 6;

/**
 * Up to half of the samples of a plateau may be wrong, as where a frame without a checksum has a changed
 * digit: none may lie further from their median than so many divisions, or so many times the median of
 * those distances. Of five normal samples 3 % do by chance, and wait for the next one.
 */
const CLOSE_DIVISIONS = 4;
const CLOSE_TIMES = 15;

/** A level that has not settled after so many times `minSamples` is reported as unstable. */
const UNSTABLE_AFTER = 6;

/** One failed read is no news: a fault counts from the third in a row. */
const FAULT_AFTER = 3;

export const startSettling: Settling = {
  plateau: [],
  steps: [],
  newest: null,
  unsettled: 0,
  fault: null,
};

/**
 * Takes one sample.
 * @returns the new state, and a level where `minSamples` stable samples agree within the noise of
 * this scale (or one division), where nothing has settled for long, or where a fault persists
 */
export function settle(
  state: Settling,
  { at, read }: Sample,
  options: SettlingOptions,
): { readonly state: Settling; readonly level: Level | null } {
  if (!read.ok) {
    const times = state.fault?.quality === read.quality ? state.fault.times + 1 : 1;
    const fault = { quality: read.quality, times };
    const level = { at, value: null, samples: 0, spread: 0, quality: read.quality };
    const next = { ...state, plateau: [], newest: null, unsettled: 0, fault };
    return { state: next, level: times >= FAULT_AFTER ? level : null };
  }
  const value = 'value' in read ? read.value : read.massMg;
  // Sensors do not say whether they are stable: their samples have to agree.
  const stable = 'value' in read || read.stable;
  if (!stable) {
    return unsettled({ ...state, plateau: [], newest: null, fault: null }, at, value, options);
  }
  const step = state.newest === null ? [] : [Math.abs(value - state.newest)];
  const steps = [...state.steps, ...step].slice(-NOISE_STEPS);
  const plateau = [...state.plateau, value];
  const next: Settling = { ...state, plateau, steps, newest: value, fault: null };
  if (plateau.length < options.minSamples) return unsettled(next, at, value, options);
  if (!agreeing(plateau, noiseOf(steps), options)) {
    return unsettled({ ...next, plateau: plateau.slice(1) }, at, value, options);
  }
  const level: Level = { at, ...statistics(plateau), quality: 'good' };
  return { state: { ...next, plateau: [], unsettled: 0 }, level };
}

/** @param noise one sample's standard deviation, in the unit of the samples */
function agreeing(
  plateau: readonly number[],
  noise: number,
  { division }: SettlingOptions,
): boolean {
  const range = Math.max(...plateau) - Math.min(...plateau);
  if (range > Math.max(division, AGREEING_SIGMAS * noise)) return false;
  const middle = lowerMedian(plateau);
  const away = plateau.map((sample) => Math.abs(sample - middle));
  return Math.max(...away) <= Math.max(CLOSE_DIVISIONS * division, CLOSE_TIMES * lowerMedian(away));
}

/** Of an even number the lower of the two: then one of two, or two of four, cannot move it. */
function lowerMedian(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function unsettled(
  state: Settling,
  at: number,
  value: number,
  { minSamples }: SettlingOptions,
): { state: Settling; level: Level | null } {
  const next = { ...state, unsettled: state.unsettled + 1 };
  if (next.unsettled < UNSTABLE_AFTER * minSamples) return { state: next, level: null };
  const spread = noiseOf(state.steps);
  return { state: next, level: { at, value, samples: 1, spread, quality: 'unstable' } };
}

/** Standard deviation of one sample in mg; robust against the steps of goods taken and put. */
function noiseOf(steps: readonly number[]): number {
  const sorted = steps.toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length / 2)] ?? 0) / STEP_MEDIAN;
}

function statistics(samples: readonly number[]): {
  value: number;
  samples: number;
  spread: number;
} {
  const value = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  const squares = samples.reduce((sum, sample) => sum + (sample - value) ** 2, 0);
  return { value, samples: samples.length, spread: Math.sqrt(squares / (samples.length - 1)) };
}
