import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '#shared/units.ts';
import { hourShare, RHYTHM_NAMES } from './rhythm.ts';
import { afterWork, nextWorking } from './working-hours.ts';

const zones = ['Europe/Berlin', 'Asia/Shanghai', 'Asia/Kathmandu', 'America/St_Johns'];
const hours = fc.record({
  rhythm: fc.constantFrom(...RHYTHM_NAMES),
  timeZone: fc.constantFrom(...zones),
});
const instant = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2030, 0) });
const at = (text: string): number => Date.parse(text);

describe('one shift in Berlin', () => {
  const berlin = { rhythm: 'one-shift', timeZone: 'Europe/Berlin' } as const;

  test('begins at 7 local time, winter and summer', () => {
    expect(nextWorking(berlin, at('2026-01-14T01:00Z'))).toBe(at('2026-01-14T06:00Z'));
    expect(nextWorking(berlin, at('2026-07-15T01:00Z'))).toBe(at('2026-07-15T05:00Z'));
  });

  test('pauses from Friday afternoon to Monday', () => {
    expect(nextWorking(berlin, at('2026-01-16T13:00Z'))).toBe(at('2026-01-19T06:00Z'));
  });

  test('a full day’s work begun on Monday morning is done on Monday evening', () => {
    const done = afterWork(berlin, at('2026-01-12T00:00Z'), 0.9999);
    expect(new Date(done).toISOString()).toMatch(/^2026-01-12T14:5/);
  });
});

test('every rhythm has a full working day of 1', () => {
  for (const rhythm of RHYTHM_NAMES) {
    const day = Array.from({ length: 24 }, (_, hour) => hourShare(rhythm, 1, hour));
    expect(day.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  }
});

test('work ends within working hours, later the more there is, and adds up', () => {
  const days = fc.double({ min: 1e-4, max: 3, noNaN: true });
  fc.assert(
    fc.property(hours, instant, days, days, (where, from, first, second) => {
      const middle = afterWork(where, from, first);
      expect(middle).toBeGreaterThan(from);
      expect(nextWorking(where, middle - 1)).toBeLessThanOrEqual(middle);
      const twice = afterWork(where, middle, second);
      const once = afterWork(where, from, first + second);
      // Rounding to ms may fall on either side of a night or weekend.
      const idle = twice === once ? 0 : Math.abs(twice - once);
      expect(idle < 10 || idle < 3 * DAY_MS).toBe(true);
      expect(twice).toBeGreaterThan(middle);
    }),
    { numRuns: 50 },
  );
});

test('the next working instant is never before, and is a fixed point', () => {
  fc.assert(
    fc.property(hours, instant, (where, from) => {
      const next = nextWorking(where, from);
      expect(next).toBeGreaterThanOrEqual(from);
      expect(next - from).toBeLessThan(3 * DAY_MS + HOUR_MS);
      expect(nextWorking(where, next)).toBe(next);
    }),
    { numRuns: 100 },
  );
});
