import { MG_PER_G, MG_PER_KG } from '#shared/units.ts';

/** Units an indicator can be switched to. */
export const DISPLAY_UNITS = ['kg', 'g', 'lb'] as const;
export type DisplayUnit = (typeof DISPLAY_UNITS)[number];

/** How an indicator writes masses in one unit. */
export interface Figures {
  readonly unit: DisplayUnit;
  /** Mass of one unit; no integer for lb. */
  readonly unitMg: number;
  /** Mass of the smallest step. */
  readonly divisionMg: number;
  readonly decimals: number;
  /** The smallest step without its point: 1, 2, 5, 10 … */
  readonly divisionDigits: number;
}

export interface FigureModel {
  readonly capacityMg: number;
  readonly divisionMg: number;
}

/** From this capacity on a scale shows kg. */
const KG_FROM_MG = 30 * MG_PER_KG;
/** The international pound, exactly 0.45359237 kg. */
const POUND_IN_KG = 0.45359237;

export function nativeUnit({ capacityMg }: FigureModel): 'kg' | 'g' {
  return capacityMg >= KG_FROM_MG ? 'kg' : 'g';
}

/** A scale switched to lb keeps the digits of its division in kg: 0.002 kg becomes 0.002 lb. */
export function figuresOf(model: FigureModel, unit: DisplayUnit): Figures {
  const { divisionMg } = model;
  const metric = unit === 'g' ? MG_PER_G : MG_PER_KG;
  const decimals = decimalsOf(divisionMg, metric);
  const divisionDigits = Math.round((divisionMg / metric) * 10 ** decimals);
  const factor = unit === 'lb' ? POUND_IN_KG : 1;
  return {
    unit,
    unitMg: metric * factor,
    divisionMg: divisionMg * factor,
    decimals,
    divisionDigits,
  };
}

function decimalsOf(divisionMg: number, unitMg: number): number {
  let decimals = 0;
  while (divisionMg % (unitMg / 10 ** decimals) !== 0) decimals += 1;
  return decimals;
}

/** The number shown, without its point and rounded to divisions. */
export function digitsOf(massMg: number, figures: Figures): number {
  // Adding 0 turns the -0 of rounding into 0.
  return Math.round(massMg / figures.divisionMg) * figures.divisionDigits + 0;
}

/** The number shown, with its point: `-0.18`. */
export function textOf(massMg: number, figures: Figures): string {
  return (digitsOf(massMg, figures) / 10 ** figures.decimals).toFixed(figures.decimals);
}
