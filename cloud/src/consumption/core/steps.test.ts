import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, ROLLUP_MS } from '#shared/units.ts';
import { bucketParts, roughSteps, stepStarts } from './steps.ts';

const at = (text: string) => Date.parse(text);
const texts = (starts: readonly number[]) => starts.map((ms) => new Date(ms).toISOString());

/** Lengths in hours. */
function lengths(starts: readonly number[], to: number): number[] {
  return starts.map((start, index) => ((starts[index + 1] ?? to) - start) / HOUR_MS);
}

describe('days', () => {
  test('have 23 hours when summer time begins, and 25 when it ends', () => {
    const spring = {
      from: at('2026-03-28T00:00+01:00'),
      to: at('2026-03-31T00:00+02:00'),
    };
    expect(lengths(stepStarts(spring, 'day', 'Europe/Berlin'), spring.to)).toEqual([24, 23, 24]);
    const autumn = {
      from: at('2026-10-24T00:00+02:00'),
      to: at('2026-10-27T00:00+01:00'),
    };
    expect(lengths(stepStarts(autumn, 'day', 'Europe/Berlin'), autumn.to)).toEqual([24, 25, 24]);
  });

  test('begin at half past in India', () => {
    const period = { from: at('2026-05-01T00:00Z'), to: at('2026-05-03T00:00Z') };
    expect(texts(stepStarts(period, 'day', 'Asia/Kolkata'))).toEqual([
      '2026-05-01T00:00:00.000Z',
      '2026-05-01T18:30:00.000Z',
      '2026-05-02T18:30:00.000Z',
    ]);
  });

  test('begin at one where the clock skips midnight', () => {
    const period = { from: at('2026-04-23T12:00Z'), to: at('2026-04-25T00:00Z') };
    expect(texts(stepStarts(period, 'day', 'Africa/Cairo'))).toEqual([
      '2026-04-23T12:00:00.000Z',
      '2026-04-23T22:00:00.000Z',
      '2026-04-24T21:00:00.000Z',
    ]);
  });

  test('leave out the one that Samoa skipped', () => {
    const period = { from: at('2011-12-29T10:00Z'), to: at('2012-01-01T10:00Z') };
    expect(texts(stepStarts(period, 'day', 'Pacific/Apia'))).toEqual([
      '2011-12-29T10:00:00.000Z',
      '2011-12-30T10:00:00.000Z',
      '2011-12-31T10:00:00.000Z',
    ]);
  });
});

describe('hours', () => {
  test('follow the local clock through a change by half an hour', () => {
    const period = { from: at('2026-04-05T00:00+11:00'), to: at('2026-04-05T04:00+10:30') };
    expect(lengths(stepStarts(period, 'hour', 'Australia/Lord_Howe'), period.to)).toEqual([
      1, 1.5, 1, 1,
    ]);
  });

  test('begin at a quarter to in Nepal', () => {
    const period = { from: at('2026-05-01T00:00Z'), to: at('2026-05-01T02:00Z') };
    expect(texts(stepStarts(period, 'hour', 'Asia/Kathmandu'))).toEqual([
      '2026-05-01T00:00:00.000Z',
      '2026-05-01T00:15:00.000Z',
      '2026-05-01T01:15:00.000Z',
    ]);
  });
});

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'America/New_York',
  'Australia/Lord_Howe',
  'Africa/Cairo',
  'Africa/Monrovia',
];
const period = fc
  .record({
    from: fc.integer({ min: 0, max: at('2036-01-01T00:00Z') }),
    length: fc.integer({ min: 1, max: 400 * HOUR_MS }),
  })
  .map(({ from, length }) => ({ from, to: from + length }));
const step = fc.constantFrom('total', 'day', 'hour', 'quarter-hour');

describe('any period in any zone', () => {
  test('is cut into ascending steps that begin on the local clock', () => {
    fc.assert(
      fc.property(period, step, fc.constantFrom(...ZONES), (period, step, timeZone) => {
        const starts = stepStarts(period, step, timeZone);
        expect(starts[0]).toBe(period.from);
        expect(starts).toEqual([...new Set(starts)].toSorted((a, b) => a - b));
        expect(starts.at(-1)).toBeLessThan(period.to);
        expect(Math.abs(starts.length - roughSteps(period, step))).toBeLessThanOrEqual(8);
        for (const start of starts.slice(1)) {
          const local = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(timeZone);
          if (step === 'day') expect(local.equals(local.startOfDay())).toBe(true);
          if (step === 'hour') expect(local.minute).toBe(0);
          expect(local.minute % 15).toBe(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is the whole buckets of its steps and the parts of those that are cut', () => {
    fc.assert(
      fc.property(period, step, fc.constantFrom(...ZONES), (period, step, timeZone) => {
        const starts = stepStarts(period, step, timeZone);
        const parts = bucketParts(starts, period.to);
        const cut = new Set(parts.map(({ bucket }) => bucket));
        let covered = 0;
        for (const part of parts) {
          expect(part.from).toBeGreaterThanOrEqual(starts[part.step] ?? Infinity);
          expect(part.to).toBeLessThanOrEqual(starts[part.step + 1] ?? period.to);
          expect(part.from).toBeGreaterThanOrEqual(part.bucket);
          expect(part.to).toBeLessThanOrEqual(part.bucket + ROLLUP_MS);
          covered += part.to - part.from;
        }
        const first = period.from - (period.from % ROLLUP_MS);
        for (let bucket = first; bucket < period.to; bucket += ROLLUP_MS) {
          if (!cut.has(bucket)) covered += ROLLUP_MS;
        }
        expect(covered).toBe(period.to - period.from);
      }),
      { numRuns: 300 },
    );
  });
});

test('a period on the grid cuts no bucket', () => {
  expect(bucketParts([0, ROLLUP_MS, 4 * ROLLUP_MS], 6 * ROLLUP_MS)).toEqual([]);
  expect(bucketParts([MINUTE_MS], 2 * MINUTE_MS)).toEqual([
    { bucket: 0, step: 0, from: MINUTE_MS, to: 2 * MINUTE_MS },
  ]);
});
