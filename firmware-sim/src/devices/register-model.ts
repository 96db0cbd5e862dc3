import { digitsOf, figuresOf, nativeUnit } from '../core/figures.ts';
import type { Display } from '../core/indicator.ts';

/** What the registers of an indicator depend on. */
export interface RegisterModel {
  readonly capacityMg: number;
  readonly divisionMg: number;
  /** Mass of one count in a register, while it shows its own unit. */
  readonly countMg: number;
}

/**
 * A mass as an integer register has it: the number on the display without its point. An indicator
 * switched to lb counts pounds, and nothing in most register maps says so.
 */
export function countsOf(massMg: number, { unit }: Display, model: RegisterModel): number {
  const own = nativeUnit(model);
  const figures = figuresOf(model, unit);
  const digits = digitsOf(massMg, figures);
  if (unit !== own && unit !== 'lb') return digits;
  // The division's digits may be written with more decimals than it needs.
  return Math.round((digits / figures.divisionDigits) * (model.divisionMg / model.countMg));
}

/** A mass as a float register has it, in units of `countMg`, or in what it is switched to. */
export function floatOf(massMg: number, { unit }: Display, model: RegisterModel): number {
  const figures = figuresOf(model, unit);
  const own = figuresOf(model, nativeUnit(model));
  const rounded = digitsOf(massMg, figures) / 10 ** figures.decimals;
  return (rounded * own.unitMg) / model.countMg;
}
