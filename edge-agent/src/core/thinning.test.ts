import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { superfluous, type ThinRow } from './thinning.ts';

const MINUTE = 60_000;

/** One bin's readings: value every so many seconds. */
const series = (values: readonly (number | null)[], everyS: number, bin = 1): ThinRow[] =>
  values.map((value, n) => ({
    row: n * 10 + bin,
    bin,
    at: n * everyS * 1_000 + 1,
    value,
    spread: 2,
    kind: value === null ? 41 : 1,
  }));

const highest = (rows: readonly ThinRow[]): number =>
  Math.max(...rows.map(({ value }) => value ?? 0));

const left = (rows: readonly ThinRow[], gone: readonly ThinRow[]): (number | null)[] =>
  rows.filter((row) => !gone.includes(row)).map(({ value }) => value);

test('the ends of plateaus stay, so that every pick and refill is still there', () => {
  const rows = series([100, 101, 99, 100, 60, 61, 60, 59, 140, 139, 140, 141], 5);
  const gone = superfluous(rows, { spacingMs: MINUTE, keep: 'ends' });
  expect(left(rows, gone)).toEqual([100, 100, 60, 59, 140, 141]);
});

test('bins that report often lose first, heartbeats stay', () => {
  const often = series(Array(120).fill(100), 5, 1);
  const seldom = series(Array(10).fill(100), 600, 2);
  const gone = superfluous([...often, ...seldom], { spacingMs: MINUTE, keep: 'ends' });
  expect(gone.every(({ bin }) => bin === 1)).toBe(true);
  expect(gone.length).toBeGreaterThan(100);
});

test('where no level lasts, lows and highs stay', () => {
  const rows = series([100, 70, 40, 10, 90, 60, 30, 50], 5);
  const gone = superfluous(rows, { spacingMs: 60 * MINUTE, keep: 'extremes' });
  expect(left(rows, gone)).toEqual([100, 10, 50]);
});

describe('whatever the readings', () => {
  const value = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(null));
  const rows = fc
    .array(fc.array(value, { maxLength: 60 }), { maxLength: 4 })
    .map((bins) => bins.flatMap((values, bin) => series(values, 7, bin)));
  const keep = fc.constantFrom('ends' as const, 'extremes' as const);

  test('first and last of each bin stay, lows and highs stay, nothing goes twice', () => {
    fc.assert(
      fc.property(rows, keep, fc.integer({ min: 1, max: 600 }), (all, how, seconds) => {
        const gone = new Set(superfluous(all, { spacingMs: seconds * 1_000, keep: how }));
        for (const own of Map.groupBy(all, ({ bin }) => bin).values()) {
          const stays = own.filter((row) => !gone.has(row));
          expect(stays[0]).toBe(own[0]);
          expect(stays.at(-1)).toBe(own.at(-1));
          if (how === 'ends') continue;
          expect(highest(stays)).toBe(highest(own));
        }
      }),
    );
  });
});
