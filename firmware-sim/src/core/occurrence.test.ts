import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS, SECOND_MS } from '#shared/units.ts';
import { occurrencesOf, type Occurrence } from './occurrence.ts';

const FROM = Date.UTC(2026, 2, 2);
const ERA = { from: FROM, liveFrom: FROM + DAY_MS };
const of = (occurrence: Occurrence, key = 1) => occurrencesOf({ occurrence, key, era: ERA });

describe('at times of its own', () => {
  const twice = of({ afterS: [60, -3600], durationS: 10 });

  test('they count from the start of live readings, before it where negative', () => {
    expect(
      twice.between(FROM - 1, FROM + 2 * DAY_MS).map(({ from }) => from - ERA.liveFrom),
    ).toEqual([-3600 * SECOND_MS, 60 * SECOND_MS]);
  });

  test('it is under way from its beginning until just before its end', () => {
    const times = [59.999, 60, 69.999, 70].map((s) => ERA.liveFrom + s * SECOND_MS);
    expect(times.map((time) => twice.at(time) !== null)).toEqual([false, true, true, false]);
  });

  test('before the world began there is nothing', () => {
    const early = of({ afterS: [-2 * 86_400], durationS: 10 });
    expect(early.between(0, Infinity)).toEqual([]);
  });
});

describe('at random', () => {
  test('it comes as often as asked, otherwise with another key, and the same when asked again', () => {
    const events = of({ perDay: 24, durationS: 1 }).between(FROM, FROM + 100 * DAY_MS);
    expect(events).toHaveLength(2400);
    expect(of({ perDay: 24, durationS: 1 }).between(FROM, FROM + 100 * DAY_MS)).toEqual(events);
    expect(of({ perDay: 24, durationS: 1 }, 2).between(FROM, FROM + DAY_MS)).not.toEqual(
      events.slice(0, 24),
    );
  });

  test('all ways of asking tell the same', () => {
    const perDay = fc.integer({ min: 1, max: 5000 });
    const durationS = fc.integer({ min: 1, max: 600 });
    const seconds = fc.integer({ min: 0, max: 5 * 86_400 });
    fc.assert(
      fc.property(perDay, durationS, seconds, fc.nat(), (perDay, durationS, second, key) => {
        const occurrences = of({ perDay, durationS, afterS: [0] }, key);
        const at = FROM + second * SECOND_MS;
        const all = occurrences.between(FROM - 1, FROM + 7 * DAY_MS);
        const begun = all.filter(({ from }) => from <= at);
        expect(occurrences.latest(at)?.from).toBe(begun.at(-1)?.from);
        expect(occurrences.next(at)?.from).toBe(all[begun.length]?.from);
        const isNow = begun.some(({ to }) => at < to);
        expect(occurrences.at(at) !== null).toBe(isNow);
      }),
      { numRuns: 50 },
    );
  });
});

test('without times it never happens', () => {
  const never = of({ durationS: 5 });
  expect([never.at(FROM), never.latest(FROM), never.next(FROM)]).toEqual([null, null, null]);
});
