import type { Weight } from './load-cell.ts';

/** What an indicator shows: masses rounded to divisions. */
export interface Display {
  readonly grossMg: number;
  readonly netMg: number;
  readonly tareMg: number;
  readonly stable: boolean;
  readonly overload: boolean;
  readonly underload: boolean;
}

export type KeyOutcome = 'done' | 'motion' | 'over' | 'under';

/** The box beside the scale: it rounds, watches its range, and has keys for zero and tare. */
export interface Indicator {
  display(): Display;
  /** Shifts gross to 0 where the scale stands still near its zero. */
  zero(): KeyOutcome;
  /** Makes net 0 where the scale stands still within its range. */
  tare(): KeyOutcome;
  clearTare(): void;
}

/** Shown up to capacity + 9 e (OIML R 76-1, 4.2.3) and down to −20 e (4.2.2.2 as built by many). */
const OVERLOAD_DIVISIONS = 9;
const UNDERLOAD_DIVISIONS = 20;
/** Zero can be set within ±2 % of the capacity (OIML R 76-1, 4.5.1: at most 4 % in all). */
const ZERO_RANGE = 0.02;

/** Zero and tare are lost with the power, as with most indicators. */
export function createIndicator(
  model: { readonly capacityMg: number; readonly divisionMg: number },
  weigh: () => Weight,
): Indicator {
  const { capacityMg, divisionMg } = model;
  let zeroMg = 0;
  let tareMg = 0;
  // Adding 0 turns the -0 of rounding into 0.
  const rounded = (massMg: number): number => Math.round(massMg / divisionMg) * divisionMg + 0;

  function display(): Display {
    const { grossMg: raw, stable } = weigh();
    const grossMg = rounded(raw - zeroMg);
    return {
      grossMg,
      netMg: grossMg - tareMg,
      tareMg,
      stable,
      overload: grossMg > capacityMg + OVERLOAD_DIVISIONS * divisionMg,
      underload: grossMg < -UNDERLOAD_DIVISIONS * divisionMg,
    };
  }

  return {
    display,
    zero() {
      const { grossMg: raw, stable } = weigh();
      if (raw > capacityMg * ZERO_RANGE) return 'over';
      if (raw < -capacityMg * ZERO_RANGE) return 'under';
      if (!stable) return 'motion';
      zeroMg = raw;
      tareMg = 0;
      return 'done';
    },
    tare() {
      const shown = display();
      if (shown.overload) return 'over';
      if (shown.grossMg < 0) return 'under';
      if (!shown.stable) return 'motion';
      tareMg = shown.grossMg;
      return 'done';
    },
    clearTare() {
      tareMg = 0;
    },
  };
}
