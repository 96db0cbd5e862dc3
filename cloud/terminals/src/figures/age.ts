import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '#shared/units.ts';
import type { Formatter } from './quantity.ts';

const SCALE = [
  { unit: 'second', ms: SECOND_MS, below: MINUTE_MS },
  { unit: 'minute', ms: MINUTE_MS, below: HOUR_MS },
  { unit: 'hour', ms: HOUR_MS, below: 2 * DAY_MS },
  { unit: 'day', ms: DAY_MS, below: Number.POSITIVE_INFINITY },
] as const;

/**
 * `12s ago`. Never in the future: clocks differ by some seconds.
 * @param ageMs since it was measured
 */
export function formatAge(intl: Formatter, ageMs: number): string {
  const age = Math.max(0, ageMs);
  const { unit, ms } = SCALE.find(({ below }) => age < below) ?? SCALE[3];
  return intl.formatRelativeTime(-Math.floor(age / ms), unit, {
    style: 'narrow',
    numeric: 'always',
  });
}
