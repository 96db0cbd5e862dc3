import type { Quality } from '#shared/reading.ts';
import type { QuantityUnit, ReadingUnit } from '#shared/units.ts';

/** A reading that an agent sent ahead of its backlog. */
export interface LiveReading {
  readonly at: number;
  readonly value: number | null;
  readonly unit: ReadingUnit;
  readonly quality: Quality;
}

/** What the bin holds now, as its setup has it. */
export interface LiveSetup {
  readonly unit: QuantityUnit;
  readonly tareMg: number;
  readonly pieceMassMg: number | null;
  readonly capacityMg: number;
}

export interface LiveFigure {
  readonly quantity: number | null;
  readonly massMg: number | null;
}

/**
 * What a live reading shows, by the nominal mass of a piece: the fold, which knows it better and
 * tells noise from picks, has not seen it yet.
 * @returns nulls where the reading is not good, or its unit does not fit the product
 */
export function liveFigure(reading: LiveReading, setup: LiveSetup): LiveFigure {
  const massMg = massOf(reading, setup);
  if (massMg === null) return { quantity: null, massMg: null };
  if (setup.unit === 'mg') return { quantity: massMg, massMg };
  const { pieceMassMg } = setup;
  return { quantity: pieceMassMg === null ? null : Math.round(massMg / pieceMassMg), massMg };
}

/** Net mass, mg: a scale's value holds the container, counts and fill levels do not. */
function massOf({ value, unit, quality }: LiveReading, setup: LiveSetup): number | null {
  if (value === null || quality !== 'good') return null;
  if (unit === 'mg') return value - setup.tareMg;
  if (unit === 'permille') return Math.round((value * setup.capacityMg) / 1_000);
  return setup.pieceMassMg === null ? null : value * setup.pieceMassMg;
}
