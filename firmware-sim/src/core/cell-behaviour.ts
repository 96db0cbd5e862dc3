import { HOUR_MS, SECOND_MS } from '#shared/units.ts';
import type { DisplayUnit } from './figures.ts';
import type { Occurrence } from './occurrence.ts';
import { uniformAt } from './random.ts';
import type { BinContent } from './bin-state.ts';

/** What ails a load cell, beside its noise and drift: every part may be absent. */
export interface CellBehaviour {
  readonly creep?: { readonly part: number; readonly tauS: number } | undefined;
  readonly temperature?: TemperatureModel | undefined;
  readonly settling?: SettlingModel | undefined;
  readonly vibration?:
    | (Occurrence & { readonly amplitudeMg?: number | undefined; readonly hertz: number })
    | undefined;
  readonly leaning?: (Occurrence & { readonly massMg: number }) | undefined;
  readonly overload?: (Occurrence & { readonly massMg?: number | undefined }) | undefined;
  readonly underload?: (Occurrence & { readonly massMg?: number | undefined }) | undefined;
  readonly disconnect?: Occurrence | undefined;
  readonly stuck?: Occurrence | undefined;
  readonly unit?: (Occurrence & { readonly to: DisplayUnit }) | undefined;
  readonly zero?: Occurrence | undefined;
  readonly tare?: Occurrence | undefined;
  readonly clear?: Occurrence | undefined;
  readonly outage?: Occurrence | undefined;
}

export interface TemperatureModel {
  readonly swingC: number;
  /** Shift of the zero; absent: a division per 5 °C (OIML R 76-1, 3.9.2.3). */
  readonly zeroMgPerC?: number | undefined;
  readonly spanPpmPerC: number;
  readonly warmestHourUtc: number;
}

export interface SettlingModel {
  readonly pickMs: number;
  readonly refillMs: number;
  readonly periodMs: number;
  readonly ripple: number;
}

/** Decay of the swing after a pick, and after a refill, which is poured in over seconds. */
export const SETTLING: SettlingModel = {
  pickMs: 500,
  refillMs: 3_000,
  periodMs: 700,
  // Part of the change that swings; the filter lets none of it overshoot.
  ripple: 0.3,
};

/** What a part of the behaviour adds to the weight, and by how much that moves. */
export interface Motion {
  readonly offsetMg: number;
  readonly amplitudeMg: number;
}

export function swingOf(content: BinContent, at: number, settling: SettlingModel): Motion {
  const { pickMs, refillMs, periodMs, ripple } = settling;
  let offsetMg = 0;
  let amplitudeMg = 0;
  for (const event of content.recent) {
    const age = at - event.at;
    const decayMs = event.massMg > 0 ? refillMs : pickMs;
    const left = Math.abs(event.massMg) * Math.exp(-age / decayMs);
    amplitudeMg += left;
    const wave = Math.cos((2 * Math.PI * age) / periodMs);
    offsetMg -= Math.sign(event.massMg) * left * (1 - ripple + ripple * wave);
  }
  return { offsetMg, amplitudeMg };
}

/**
 * What a cell has still to creep after its load changed: the error decays exponentially.
 * @param part of the maximum permissible error; OIML R 60-1, 5.5.1 allows 0.7 in 30 minutes
 * @returns mg, added to the weight
 */
export function creepOf(
  model: { readonly capacityMg: number; readonly divisionMg: number },
  creep: { readonly part: number; readonly tauS: number },
  content: BinContent,
  at: number,
): number {
  const fullMg = creep.part * maximumErrorMg(model);
  const share = fullMg / model.capacityMg;
  return content.lately.reduce(
    (sum, event) =>
      sum - share * event.massMg * Math.exp(-(at - event.at) / (creep.tauS * SECOND_MS)),
    0,
  );
}

/** At full load, class III, by the number of divisions (OIML R 76-1, table 6). */
function maximumErrorMg(model: {
  readonly capacityMg: number;
  readonly divisionMg: number;
}): number {
  const divisions = model.capacityMg / model.divisionMg;
  return model.divisionMg * (divisions <= 500 ? 0.5 : divisions <= 2_000 ? 1 : 1.5);
}

/** A daily wave about the temperature the scale was adjusted at. */
export function temperatureMg(
  model: TemperatureModel,
  loadMg: number,
  divisionMg: number,
  at: number,
): number {
  const hours = at / HOUR_MS - model.warmestHourUtc;
  const degrees = model.swingC * Math.cos((2 * Math.PI * hours) / 24);
  const zero = model.zeroMgPerC ?? divisionMg / 5;
  return degrees * (zero + (loadMg * model.spanPpmPerC) / 1e6);
}

export function vibrationOf(amplitudeMg: number, hertz: number, at: number): Motion {
  return { offsetMg: amplitudeMg * Math.sin((2 * Math.PI * hertz * at) / SECOND_MS), amplitudeMg };
}

/** Time between two of a hand's pushes. */
const PUSH_MS = 250;
const GRIP_MS = 400;

/** A hand, or a hip, against the container: it comes, presses unevenly, and goes. */
export function leanOf(massMg: number, key: number, from: number, to: number, at: number): Motion {
  const ramp = Math.min(1, (at - from) / GRIP_MS, (to - at) / GRIP_MS);
  const push = 0.75 + 0.5 * uniformAt(key, Math.floor(at / PUSH_MS));
  return { offsetMg: massMg * ramp * push, amplitudeMg: Math.abs(massMg) };
}
