import { HOUR_MS, ROLLUP_MS } from '#shared/units.ts';
import type { DisplayUnit } from './figures.ts';
import { keyOf, normalAt } from './random.ts';
import type { BinContent } from './world.ts';

export interface LoadCellModel {
  readonly tareMg: number;
  readonly divisionMg: number;
  /** Standard deviation of one sample. */
  readonly noiseMg: number;
  readonly driftMgPerSqrtH: number;
}

export interface Weight {
  /** Container and content as the cell sees them, not yet rounded to divisions. */
  readonly grossMg: number;
  /** False while it swings after a change. */
  readonly stable: boolean;
  /** Cut off or broken; absent: sound. */
  readonly cellError?: boolean;
  /** How often the power has come back; zero and tare are lost with it. */
  readonly powerUps?: number;
  /** The power came back a moment ago. */
  readonly starting?: boolean;
  /** What somebody switched the display to; absent: its own unit. */
  readonly unit?: DisplayUnit;
  /** A key that somebody presses right now; tried until it is done. */
  readonly press?: { readonly key: 'zero' | 'tare' | 'clear'; readonly id: string };
}

/**
 * A load cell with its amplifier: what it shows at `at`, given what lies in the bin then.
 * A pure function of `at` and the content; cheapest when `at` grows.
 */
export type LoadCell = (content: BinContent, at: number) => Weight;

/** Time between two conversions of a typical indicator, 10 Hz. */
const CONVERSION_MS = 100;
/** The random walk of the zero has a node here and is straight between two nodes. */
const DRIFT_STEP_MS = ROLLUP_MS;
/** Decay of the swing after a pick, and after a refill, which is poured in over seconds. */
const PICK_DECAY_MS = 500;
const REFILL_DECAY_MS = 3_000;
const SWING_PERIOD_MS = 700;
/** Part of the change that swings; the filter lets none of it overshoot. */
const RIPPLE = 0.3;
/** An indicator reports motion while the swing exceeds this part of a division. */
const MOTION_DIVISIONS = 0.5;

export function createLoadCell(options: {
  readonly model: LoadCellModel;
  readonly seed: number;
  readonly name: string;
  /** Drift begins at 0 here. */
  readonly from: number;
}): LoadCell {
  const { model, seed, name, from } = options;
  const noiseKey = keyOf(seed, name, 'noise');
  const drift = randomWalk(
    keyOf(seed, name, 'drift'),
    model.driftMgPerSqrtH * Math.sqrt(DRIFT_STEP_MS / HOUR_MS),
  );
  return (content, at) => {
    const swing = swingOf(content, at);
    const noise = model.noiseMg * normalAt(noiseKey, Math.floor(at / CONVERSION_MS));
    const zero = drift(Math.max(0, at - from) / DRIFT_STEP_MS);
    return {
      grossMg: model.tareMg + content.massMg + zero + swing.offsetMg + noise,
      stable: swing.amplitudeMg < model.divisionMg * MOTION_DIVISIONS,
    };
  };
}

function swingOf(content: BinContent, at: number): { offsetMg: number; amplitudeMg: number } {
  let offsetMg = 0;
  let amplitudeMg = 0;
  for (const event of content.recent) {
    const age = at - event.at;
    const decayMs = event.kind === 'refill' ? REFILL_DECAY_MS : PICK_DECAY_MS;
    const left = Math.abs(event.massMg) * Math.exp(-age / decayMs);
    amplitudeMg += left;
    const ripple = Math.cos((2 * Math.PI * age) / SWING_PERIOD_MS);
    offsetMg -= Math.sign(event.massMg) * left * (1 - RIPPLE + RIPPLE * ripple);
  }
  return { offsetMg, amplitudeMg };
}

/** @returns the walk's value at a time counted in steps; remembers where it was asked last */
function randomWalk(key: number, sigma: number): (steps: number) => number {
  let step = 0;
  let value = 0;
  let next = sigma * normalAt(key, 0);
  return (steps) => {
    const whole = Math.floor(steps);
    if (whole < step) {
      step = 0;
      value = 0;
      next = sigma * normalAt(key, 0);
    }
    while (step < whole) {
      step += 1;
      value = next;
      next += sigma * normalAt(key, step);
    }
    return value + (next - value) * (steps - whole);
  };
}
