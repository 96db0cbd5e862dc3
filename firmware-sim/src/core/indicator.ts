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

/** Zero and tare are lost with the power, as with most indicators. */
export function createIndicator(
  model: { readonly capacityMg: number; readonly divisionMg: number },
  weigh: () => Weight,
): Indicator {
  const { capacityMg, divisionMg } = model;
  const native = nativeUnit(model);
  let zeroMg = 0;
  let tareMg = 0;
  let powerUps = 0;
  let pressed = '';
  // Adding 0 turns the -0 of rounding into 0.
  const rounded = (massMg: number): number => Math.round(massMg / divisionMg) * divisionMg + 0;

  /** The weight now, after what befell the indicator since it was looked at last. */
  function look(): Weight {
    const weight = weigh();
    if ((weight.powerUps ?? 0) !== powerUps) {
      powerUps = weight.powerUps ?? 0;
      zeroMg = 0;
      tareMg = 0;
    }
    const { press } = weight;
    if (press && press.id !== pressed && pressKey(press.key, weight)) pressed = press.id;
    return weight;
  }

  function pressKey(key: 'zero' | 'tare' | 'clear', weight: Weight): boolean {
    if (key === 'zero') return zeroAt(weight) === 'done';
    if (key === 'tare') return tareAt(weight) === 'done';
    tareMg = 0;
    return true;
  }

  function shown(weight: Weight): Display {
    const { grossMg: raw, stable, cellError = false, starting = false, unit = native } = weight;
    const grossMg = rounded(raw - zeroMg);
    return {
      grossMg,
      netMg: grossMg - tareMg,
      tareMg,
      stable,
      overload: grossMg > capacityMg + OVERLOAD_DIVISIONS * divisionMg,
      underload: grossMg < -UNDERLOAD_DIVISIONS * divisionMg,
      cellError,
      centreOfZero: Math.abs(raw - zeroMg) <= CENTRE_DIVISIONS * divisionMg,
      zeroed: !starting,
      unit,
    };
  }

  function zeroAt({ grossMg: raw, stable, cellError }: Weight): KeyOutcome {
    if (raw > capacityMg * ZERO_RANGE) return 'over';
    if (raw < -capacityMg * ZERO_RANGE) return 'under';
    if (!stable || cellError === true) return 'motion';
    zeroMg = raw;
    tareMg = 0;
    return 'done';
  }

  function tareAt(weight: Weight): KeyOutcome {
    const { grossMg, stable, overload, cellError } = shown(weight);
    if (overload) return 'over';
    if (grossMg < 0) return 'under';
    if (!stable || cellError) return 'motion';
    tareMg = grossMg;
    return 'done';
  }

  return {
    display: () => shown(look()),
    isOn: () => weigh().off !== true,
    zero: () => zeroAt(look()),
    tare: () => tareAt(look()),
    presetTare(massMg) {
      if (massMg > capacityMg) return 'over';
      if (massMg < 0) return 'under';
      tareMg = rounded(massMg);
      return 'done';
    },
    clearTare() {
      tareMg = 0;
    },
  };
}
