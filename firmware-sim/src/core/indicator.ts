import { nativeUnit, type DisplayUnit } from './figures.ts';
import type { Weight } from './load-cell.ts';

/** What an indicator shows: masses rounded to divisions. */
export interface Display {
  readonly grossMg: number;
  readonly netMg: number;
  readonly tareMg: number;
  readonly stable: boolean;
  readonly overload: boolean;
  readonly underload: boolean;
  /** The load cell is cut off or broken: the weights mean nothing. */
  readonly cellError: boolean;
  /** Within a quarter of a division of zero (OIML R 76-1, 4.5.5). */
  readonly centreOfZero: boolean;
  /** False while it starts up after a power failure. */
  readonly zeroed: boolean;
  /** What it is switched to; the masses here are true ones whatever it is. */
  readonly unit: DisplayUnit;
}

export type KeyOutcome = 'done' | 'motion' | 'over' | 'under';

/** The box beside the scale: it rounds, watches its range, and has keys for zero and tare. */
export interface Indicator {
  display(): Display;
  /** False while it has no power: then it answers nothing. */
  isOn(): boolean;
  /** Shifts gross to 0 where the scale stands still near its zero. */
  zero(): KeyOutcome;
  /** Makes net 0 where the scale stands still within its range. */
  tare(): KeyOutcome;
  /** A tare that is typed in, rounded to divisions. @param massMg 0 to the capacity */
  presetTare(massMg: number): 'done' | 'over' | 'under';
  clearTare(): void;
}

/** Shown up to capacity + 9 e (OIML R 76-1, 4.2.3) and down to −20 e (4.2.2.2 as built by many). */
const OVERLOAD_DIVISIONS = 9;
const UNDERLOAD_DIVISIONS = 20;
const CENTRE_DIVISIONS = 0.25;
/** Zero can be set within ±2 % of the capacity (OIML R 76-1, 4.5.1: at most 4 % in all). */
const ZERO_RANGE = 0.02;

interface IndicatorModel {
  readonly capacityMg: number;
  readonly divisionMg: number;
}

/** @param weigh what the load cell weighs at the moment somebody looks */
export function createIndicator(model: IndicatorModel, weigh: () => Weight): Indicator {
  const settings = new Settings(model);
  const native = nativeUnit(model);
  const { divisionMg } = model;
  let pressed = '';

  /** The weight now, after what befell the indicator since it was looked at last. */
  function look(): Weight {
    const weight = weigh();
    settings.powered(weight.powerUps ?? 0);
    const { press } = weight;
    if (press && press.id !== pressed && settings.press(press.key, weight)) pressed = press.id;
    return weight;
  }

  function shown(weight: Weight): Display {
    const { grossMg: raw, stable, cellError = false, starting = false, unit = native } = weight;
    const { tareMg, zeroMg } = settings;
    const grossMg = settings.grossMg(weight);
    return {
      grossMg,
      netMg: grossMg - tareMg,
      tareMg,
      stable,
      overload: settings.isOver(grossMg),
      underload: grossMg < -UNDERLOAD_DIVISIONS * divisionMg,
      cellError,
      centreOfZero: Math.abs(raw - zeroMg) <= CENTRE_DIVISIONS * divisionMg,
      zeroed: !starting,
      unit,
    };
  }

  return {
    display: () => shown(look()),
    isOn: () => weigh().off !== true,
    zero: () => settings.zero(look()),
    tare: () => settings.tare(look()),
    presetTare: (massMg) => settings.presetTare(massMg),
    clearTare: () => settings.clearTare(),
  };
}

/** What the keys set: zero and tare. Both are lost with the power, as with most indicators. */
class Settings {
  readonly #model: IndicatorModel;
  #zeroMg = 0;
  #tareMg = 0;
  #powerUps = 0;

  constructor(model: IndicatorModel) {
    this.#model = model;
  }

  get zeroMg(): number {
    return this.#zeroMg;
  }

  get tareMg(): number {
    return this.#tareMg;
  }

  /** @param powerUps how often it got its power back */
  powered(powerUps: number): void {
    if (powerUps === this.#powerUps) return;
    this.#powerUps = powerUps;
    this.#zeroMg = 0;
    this.#tareMg = 0;
  }

  /** From the zero that is set, rounded. */
  grossMg(weight: Weight): number {
    return this.#rounded(weight.grossMg - this.#zeroMg);
  }

  isOver(grossMg: number): boolean {
    const { capacityMg, divisionMg } = this.#model;
    return grossMg > capacityMg + OVERLOAD_DIVISIONS * divisionMg;
  }

  /** @returns whether it was done */
  press(key: 'zero' | 'tare' | 'clear', weight: Weight): boolean {
    if (key === 'zero') return this.zero(weight) === 'done';
    if (key === 'tare') return this.tare(weight) === 'done';
    this.clearTare();
    return true;
  }

  zero({ grossMg: raw, stable, cellError }: Weight): KeyOutcome {
    const rangeMg = this.#model.capacityMg * ZERO_RANGE;
    if (raw > rangeMg) return 'over';
    if (raw < -rangeMg) return 'under';
    if (!stable || cellError === true) return 'motion';
    this.#zeroMg = raw;
    this.#tareMg = 0;
    return 'done';
  }

  tare(weight: Weight): KeyOutcome {
    const grossMg = this.grossMg(weight);
    if (this.isOver(grossMg)) return 'over';
    if (grossMg < 0) return 'under';
    if (!weight.stable || weight.cellError === true) return 'motion';
    this.#tareMg = grossMg;
    return 'done';
  }

  presetTare(massMg: number): 'done' | 'over' | 'under' {
    if (massMg > this.#model.capacityMg) return 'over';
    if (massMg < 0) return 'under';
    this.#tareMg = this.#rounded(massMg);
    return 'done';
  }

  clearTare(): void {
    this.#tareMg = 0;
  }

  #rounded(massMg: number): number {
    const { divisionMg } = this.#model;
    // Adding 0 turns the -0 of rounding into 0.
    return Math.round(massMg / divisionMg) * divisionMg + 0;
  }
}
