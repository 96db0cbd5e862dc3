import { useMemo } from 'react';
import { useIntl } from 'react-intl';
import type { QuantityUnit } from '#shared/units.ts';
import { ownZone } from '../time/zone.ts';
import { formatAge } from './age.ts';
import { formatChange, formatMass, formatQuantity } from './quantity.ts';

/** Figures as the person's language writes them. */
export function useFormats() {
  const intl = useIntl();
  return useMemo(
    () => ({
      quantity: (quantity: number, unit: QuantityUnit) => formatQuantity(intl, quantity, unit),
      change: (quantity: number, unit: QuantityUnit) => formatChange(intl, quantity, unit),
      mass: (mg: number) => formatMass(intl, mg),
      age: (ageMs: number) => formatAge(intl, ageMs),
      count: (count: number) => intl.formatNumber(count),
      /** Date and time; names the zone where it is not the person's own. */
      moment: (at: number, zone = ownZone()) =>
        intl.formatDate(at, {
          timeZone: zone,
          year: 'numeric',
          month: 'short',
          day: 'numeric',
          hour: '2-digit',
          minute: '2-digit',
          ...(zone !== ownZone() && { timeZoneName: 'short' }),
        }),
      /** The same without the year, for tables that say of which zone they are. */
      shortMoment: (at: number, zone: string) =>
        intl.formatDate(at, {
          timeZone: zone,
          month: 'short',
          day: 'numeric',
          hour: '2-digit',
          minute: '2-digit',
        }),
    }),
    [intl],
  );
}
