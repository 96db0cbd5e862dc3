import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS } from '#shared/units.ts';
import { dateOf, shiftDate, startOfDate } from './zone.ts';

const iso = (at: number) => new Date(at).toISOString();

const berlinLength = (date: string) =>
  startOfDate(shiftDate(date, 1), 'Europe/Berlin') - startOfDate(date, 'Europe/Berlin');

test('a date begins at the midnight of its zone', () => {
  expect(iso(startOfDate('2026-07-01', 'Europe/Berlin'))).toBe('2026-06-30T22:00:00.000Z');
  expect(iso(startOfDate('2026-01-01', 'Asia/Shanghai'))).toBe('2025-12-31T16:00:00.000Z');
  expect(iso(startOfDate('2026-01-01', 'Asia/Kathmandu'))).toBe('2025-12-31T18:15:00.000Z');
});

test('the days of a change of the clock are 23 and 25 hours long', () => {
  expect(berlinLength('2026-03-29')).toBe(23 * 3_600_000);
  expect(berlinLength('2026-10-25')).toBe(25 * 3_600_000);
});

test('a date whose midnight is skipped begins right after it', () => {
  // Summer time of Beirut began at 00:00 on 2026-03-29.
  expect(iso(startOfDate('2026-03-29', 'Asia/Beirut'))).toBe('2026-03-28T22:00:00.000Z');
});

test('in every zone an instant lies in the day of its date', () => {
  const zones = Intl.supportedValuesOf('timeZone');
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2035, 0) }),
      (zone, at) => {
        const date = dateOf(at, zone);
        const start = startOfDate(date, zone);
        expect(start).toBeLessThanOrEqual(at);
        expect(dateOf(start, zone)).toBe(date);
        expect(dateOf(start - 1, zone) < date).toBe(true);
        expect(startOfDate(shiftDate(date, 1), zone)).toBeGreaterThan(at);
        expect(at - start).toBeLessThan(DAY_MS + 3_600_000);
      },
    ),
  );
});
