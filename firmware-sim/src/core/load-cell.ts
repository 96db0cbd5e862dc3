import { HOUR_MS, ROLLUP_MS, SECOND_MS } from '#shared/units.ts';
import {
  SETTLING,
  creepOf,
  leanOf,
  swingOf,
  temperatureMg,
  vibrationOf,
  type CellBehaviour,
  type Motion,
} from './cell-behaviour.ts';
import type { DisplayUnit } from './figures.ts';
import { occurrencesOf, type Era, type Occurrence, type Occurrences } from './occurrence.ts';
import { keyOf, normalAt } from './random.ts';
import type { BinContent } from './bin-state.ts';

export interface LoadCellModel {
  readonly capacityMg: number;
  readonly tareMg: number;
  readonly divisionMg: number;
  /** Standard deviation of one sample. */
  readonly noiseMg: number;
  readonly driftMgPerSqrtH: number;
  readonly cell?: CellBehaviour | undefined;
}

export interface Weight {
  /** Container and content as the cell sees them, not yet rounded to divisions. */
  readonly grossMg: number;
  /** False while it swings after a change. */
  readonly stable: boolean;
  /** Cut off or broken; absent: sound. */
  readonly cellError?: boolean;
  /** Without power: nothing is answered. */
  readonly off?: boolean;
  /** Unlike at any other power-up; zero and tare are lost with it. */
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
 * A pure function of `at` and the content, but for a value that sticks at what it was when it was
 * looked at last; cheapest when `at` grows.
 */
export type LoadCell = (content: BinContent, at: number) => Weight;

/** Time between two conversions of a typical indicator, 10 Hz. */
const CONVERSION_MS = 100;
/** The random walk of the zero has a node here and is straight between two nodes. */
const DRIFT_STEP_MS = ROLLUP_MS;
/** An indicator reports motion while the swing exceeds this part of a division. */
const MOTION_DIVISIONS = 0.5;
/** So long an indicator starts up, its zero not yet found. */
const START_UP_MS = 5 * SECOND_MS;
/** Parts of the capacity: what lies on an overloaded scale too much, and what pulls one up. */
const OVERLOAD_PART = 1.2;
const UNDERLOAD_PART = 0.05;
/** What an amplifier shows without a cell: its end stop. */
const END_STOP_PART = 1.25;

export function createLoadCell(options: {
  readonly model: LoadCellModel;
  readonly seed: number;
  readonly name: string;
  /** Drift begins at 0 with the world. */
  readonly era: Era;
}): LoadCell {
  const { model, seed, name, era } = options;
  const behaviour = model.cell ?? {};
  const noiseKey = keyOf(seed, name, 'noise');
  const leanKey = keyOf(seed, name, 'lean');
  const drift = randomWalk(
    keyOf(seed, name, 'drift'),
    model.driftMgPerSqrtH * Math.sqrt(DRIFT_STEP_MS / HOUR_MS),
  );
  const happen = happenings(behaviour, seed, name, era);
  const settling = { ...SETTLING, ...behaviour.settling };

  /** Most cells have nothing that ails them: these must be quick, for histories. */
  const isSound = Object.values(behaviour).every((part) => part === undefined);

  function movedBy(content: BinContent, at: number): Motion {
    const swing = swingOf(content, at, settling);
    return isSound ? swing : sumOf([swing, ...disturbances(content, at)]);
  }

  function disturbances(content: BinContent, at: number): Motion[] {
    const parts: Motion[] = [];
    const { vibration, leaning, overload, underload } = behaviour;
    if (vibration && (isAlways(vibration) || happen.vibration?.at(at))) {
      parts.push(vibrationOf(vibration.amplitudeMg ?? model.divisionMg, vibration.hertz, at));
    }
    const lean = happen.leaning?.at(at);
    if (leaning && lean) parts.push(leanOf(leaning.massMg, leanKey, lean.from, lean.to, at));
    if (overload && happen.overload?.at(at)) {
      parts.push(still(overload.massMg ?? OVERLOAD_PART * model.capacityMg));
    }
    if (underload && happen.underload?.at(at)) {
      const all = model.tareMg + content.massMg;
      parts.push(still(-(underload.massMg ?? all + UNDERLOAD_PART * model.capacityMg)));
    }
    return parts;
  }

  function sensed(content: BinContent, at: number): Weight {
    if (happen.disconnect?.at(at)) {
      return { grossMg: END_STOP_PART * model.capacityMg, stable: true, cellError: true };
    }
    const motion = movedBy(content, at);
    const load = model.tareMg + content.massMg;
    const { creep, temperature } = behaviour;
    const crept = creep ? creepOf(model, creep, content, at) : 0;
    const warm = temperature ? temperatureMg(temperature, load, model.divisionMg, at) : 0;
    const noise = model.noiseMg * normalAt(noiseKey, Math.floor(at / CONVERSION_MS));
    const zero = drift(Math.max(0, at - era.from) / DRIFT_STEP_MS);
    return {
      grossMg: load + zero + crept + warm + motion.offsetMg + noise,
      stable: motion.amplitudeMg < model.divisionMg * MOTION_DIVISIONS,
    };
  }

  if (isSound) return sensed;
  const shown = sticking(sensed, happen.stuck);
  return (content, at) => ({ ...shown(content, at), ...handled(behaviour, happen, at) });
}

/** Shows what it showed for as long as it sticks. */
function sticking(sensed: LoadCell, times: Occurrences | undefined): LoadCell {
  let last: Weight | undefined;
  return (content, at) => {
    // The first look into a time of sticking still sees what was before it.
    if (!last || !times?.at(at)) last = sensed(content, at);
    return last;
  };
}

function sumOf(parts: readonly Motion[]): Motion {
  let [offsetMg, amplitudeMg] = [0, 0];
  for (const part of parts) {
    offsetMg += part.offsetMg;
    amplitudeMg += part.amplitudeMg;
  }
  return { offsetMg, amplitudeMg };
}

const still = (offsetMg: number): Motion => ({ offsetMg, amplitudeMg: 0 });

/** Vibration of a machine that always runs has no times. */
const isAlways = ({ afterS, perDay }: Occurrence): boolean =>
  afterS === undefined && perDay === undefined;

type Happenings = Partial<Record<keyof CellBehaviour, Occurrences>>;

function happenings(behaviour: CellBehaviour, seed: number, name: string, era: Era): Happenings {
  return Object.fromEntries(
    Object.entries(behaviour).flatMap(([kind, part]) =>
      part && 'durationS' in part
        ? [[kind, occurrencesOf({ occurrence: part, key: keyOf(seed, name, kind), era })]]
        : [],
    ),
  );
}

/** What people and the power do to the indicator at `at`. */
function handled(behaviour: CellBehaviour, happen: Happenings, at: number): Partial<Weight> {
  const press = (['zero', 'tare', 'clear'] as const).flatMap((key) => {
    const now = happen[key]?.at(at);
    return now ? [{ key, id: `${key} ${now.id}` }] : [];
  })[0];
  const unit = happen.unit?.at(at) ? behaviour.unit?.to : undefined;
  const up = happen.outage?.latest(at);
  return {
    ...(press && { press }),
    ...(unit && { unit }),
    ...(up && {
      off: at < up.to,
      powerUps: up.from,
      starting: at < up.to + START_UP_MS,
    }),
  };
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
