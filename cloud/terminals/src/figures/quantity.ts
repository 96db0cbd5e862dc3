import type { IntlShape } from 'react-intl';
import { MG_PER_KG, type QuantityUnit } from '#shared/units.ts';

/** The part of react-intl that formatting needs. */
export type Formatter = Pick<IntlShape, 'formatNumber' | 'formatMessage' | 'formatRelativeTime'>;

/** Three significant figures at least, but no finer than a gram. */
function kgDigits(kg: number): number {
  const size = Math.abs(kg);
  return size < 10 ? 3 : size < 100 ? 2 : size < 10_000 ? 1 : 0;
}

/** `1.235 kg`. @param mg milligrams */
export function formatMass(intl: Formatter, mg: number): string {
  const kg = mg / MG_PER_KG;
  return intl.formatNumber(kg, {
    style: 'unit',
    unit: 'kilogram',
    unitDisplay: 'short',
    maximumFractionDigits: kgDigits(kg),
  });
}

/** `1,234 pieces` or `1.234 kg`. @param quantity pieces, whole or on average, or milligrams */
export function formatQuantity(intl: Formatter, quantity: number, unit: QuantityUnit): string {
  if (unit === 'mg') return formatMass(intl, quantity);
  const count = Number(quantity.toFixed(pieceDigits(quantity)));
  return intl.formatMessage({ id: 'quantity.pieces' }, { count });
}

/** Whole pieces are whole; rates of a few pieces get a decimal. */
function pieceDigits(quantity: number): number {
  return Number.isInteger(quantity) || Math.abs(quantity) >= 100 ? 0 : 1;
}

/** With its sign, for changes. */
export function formatChange(intl: Formatter, quantity: number, unit: QuantityUnit): string {
  const text = formatQuantity(intl, Math.abs(quantity), unit);
  if (quantity === 0) return text;
  return quantity < 0 ? `−${text}` : `+${text}`;
}

/** A chart's axis speaks kg, not mg. */
export const axisValue = (quantity: number, unit: QuantityUnit): number =>
  unit === 'mg' ? quantity / MG_PER_KG : quantity;
