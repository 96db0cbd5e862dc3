import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Level } from './level.ts';
import { report, startReporting, type Report, type Reporting } from './reporting.ts';

const OPTIONS = { division: 100, heartbeatMs: 600_000 };
const T0 = 1_760_000_000_000;

const good = (at: number, value: number, samples = 5, spread = 0): Level => ({
  at,
  value,
  samples,
  spread,
  quality: 'good',
});
const noisy = (at: number, value: number): Level => good(at, value, 4, 1_000);
const fault = (at: number): Level => ({
  at,
  value: null,
  samples: 0,
  spread: 0,
  quality: 'comm-error',
});

function run(levels: readonly Level[], from: Reporting = startReporting(null)): Report[] {
  let state = from;
  return levels.flatMap((level) => {
    const next = report(state, level, OPTIONS);
    state = next.state;
    return next.report === null ? [] : [next.report];
  });
}

describe('report by exception', () => {
  test('the first level is reported', () => {
    expect(run([good(T0, 5_000)])).toEqual([
      { level: { ...good(T0, 5_000), accountedTo: T0, unconfirmed: false }, gap: null },
    ]);
  });

  test('a change of one division is not reported, a larger one is', () => {
    const reports = run([good(T0, 5_000), good(T0 + 1, 5_100), good(T0 + 2, 5_201)]);
    expect(reports.map(({ level }) => level.value)).toEqual([5_000, 5_201]);
  });

  test('a change within three standard errors is not reported', () => {
    // The difference of two such means has a standard error of 707.
    const reports = run([noisy(T0, 0), noisy(T0 + 1, 2_100), noisy(T0 + 2, 2_200)]);
    expect(reports.map(({ level }) => level.value)).toEqual([0, 2_200]);
  });

  test('the heartbeat carries the mean of all samples since the last report', () => {
    const levels = [0, 1, 2, 3, 4].map((n) => good(T0 + n * 150_000, 5_000 + n * 10, 10, 50));
    const [, heartbeat] = run(levels);
    expect(heartbeat?.level).toMatchObject({ at: T0 + 600_000, value: 5_025, samples: 40 });
  });

  test('a change is confirmed once by all samples of the minute after it', () => {
    const levels = [0, 20, 40, 60, 80, 100, 140].map((s) =>
      good(T0 + s * 1_000, s < 20 ? 5_000 : 3_000 + s, 10),
    );
    const reports = run(levels);
    expect(reports.map(({ level }) => [(level.at - T0) / 1_000, level.value])).toEqual([
      [0, 5_000],
      [20, 3_020],
      [80, 3_060],
    ]);
  });

  test('a change of quality is reported at once, in both directions', () => {
    const reports = run([good(T0, 1), fault(T0 + 10), fault(T0 + 20), good(T0 + 30, 1)]);
    expect(reports.map(({ level }) => level.quality)).toEqual(['good', 'comm-error', 'good']);
  });
});

describe('gap records', () => {
  test('a stretch of faults is a gap from the last measured reading to the next', () => {
    const reports = run([good(T0, 1), fault(T0 + 10), good(T0 + 30, 1)]);
    expect(reports[2]?.gap).toEqual({ from: T0, to: T0 + 30, count: 0, why: 'not-measured' });
  });

  test('silence of more than one and a half heartbeats is a gap', () => {
    const reports = run([good(T0, 1), good(T0 + 900_000, 1), good(T0 + 1_800_001, 1)]);
    expect(reports.map(({ gap }) => gap)).toEqual([
      null,
      null,
      { from: T0 + 900_000, to: T0 + 1_800_001, count: 0, why: 'not-measured' },
    ]);
  });

  test('levels refused because the clock went back are counted in the next gap', () => {
    const reports = run([
      good(T0, 1),
      good(T0 - 5_000, 900),
      good(T0 - 3_000, 1),
      good(T0 + 9, 900),
    ]);
    expect(reports[1]).toMatchObject({
      level: good(T0 + 9, 900),
      gap: { from: T0, to: T0 + 9, count: 2, why: 'dropped' },
    });
  });

  test('a clock that stood still costs nothing', () => {
    const reports = run([good(T0, 1), good(T0, 900), good(T0 - 1_000, 1)]);
    expect(reports.map(({ level }) => level.at)).toEqual([T0, T0 + 1, T0 + 2]);
  });
});

const levels = fc.array(
  fc.record({
    pause: fc.oneof(fc.integer({ min: -4_000, max: 700_000 }), fc.integer({ max: 5_000, min: 0 })),
    value: fc.option(fc.integer({ min: -2_000, max: 2_000 }), { freq: 4 }),
    samples: fc.integer({ min: 1, max: 20 }),
    spread: fc.integer({ min: 0, max: 300 }),
  }),
  { maxLength: 60 },
);

function timed(parts: typeof levels extends fc.Arbitrary<infer T> ? T : never): Level[] {
  let at = T0;
  return parts.map(({ pause, value, samples, spread }) => {
    at += pause;
    return value === null ? fault(at) : good(at, value, samples, spread);
  });
}

describe('whatever the levels', () => {
  test('time increases strictly, integers stay integers, and no weight is made up', () => {
    fc.assert(
      fc.property(levels, (parts) => {
        let newest = 0;
        for (const { level } of run(timed(parts))) {
          expect(level.at).toBeGreaterThan(newest);
          newest = level.at;
          expect(level.value === null).toBe(level.quality !== 'good');
          expect(Number.isSafeInteger(level.value ?? 0)).toBe(true);
          expect(Number.isSafeInteger(level.spread)).toBe(true);
          expect(level.samples > 0).toBe(level.value !== null);
        }
      }),
    );
  });

  test('gaps of a bin lie one after another and end at a reading', () => {
    fc.assert(
      fc.property(levels, (parts) => {
        let end = 0;
        for (const { level, gap } of run(timed(parts))) {
          if (gap === null) continue;
          expect(gap.from).toBeGreaterThanOrEqual(end);
          expect(gap.to).toBeGreaterThan(gap.from);
          expect(gap.to).toBe(level.at);
          end = gap.to;
        }
      }),
    );
  });

  test('going on from the newest reading after a crash reports the same', () => {
    fc.assert(
      fc.property(levels, fc.nat(), (parts, cut) => {
        // Time of a recording only goes forward; each line is at least one ms after the last.
        const lines = timed(parts.map((part) => ({ ...part, pause: Math.abs(part.pause) + 1 })));
        const whole = run(lines);
        const kept = whole.slice(0, whole.length === 0 ? 0 : cut % (whole.length + 1));
        const newest = kept.at(-1)?.level ?? null;
        const restarted = startReporting(newest);
        const rest = lines.filter(({ at }) => at > (newest?.at ?? 0));
        expect([...kept, ...run(rest, restarted)]).toEqual(whole);
      }),
    );
  });
});
