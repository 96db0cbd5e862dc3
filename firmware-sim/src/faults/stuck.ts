import type { Display, Indicator } from '../core/indicator.ts';

/** An indicator that may hang: it goes on showing what it showed, and its keys do nothing. */
export function stuckable(indicator: Indicator, isStuck: () => boolean): Indicator {
  let shown: Display | null = null;
  /** @returns what is shown while it hangs */
  function hanging(): Display | null {
    if (!isStuck()) {
      shown = null;
      return null;
    }
    shown ??= indicator.display();
    return shown;
  }
  return {
    ...indicator,
    display: () => hanging() ?? indicator.display(),
    zero: () => (hanging() ? 'motion' : indicator.zero()),
    tare: () => (hanging() ? 'motion' : indicator.tare()),
    presetTare: (massMg) => (hanging() ? 'over' : indicator.presetTare(massMg)),
    clearTare() {
      if (!hanging()) indicator.clearTare();
    },
  };
}
