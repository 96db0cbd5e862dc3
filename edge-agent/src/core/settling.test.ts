import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Level } from './level.ts';
import type { ScaleRead } from './scale-read.ts';
import { settle, startSettling, type SettlingOptions } from './settling.ts';

const OPTIONS: SettlingOptions = { minSamples: 5, division: 100 };

const weight = (massMg: number, stable = true): ScaleRead => ({ ok: true, massMg, stable });
const silent: ScaleRead = { ok: false, quality: 'comm-error', why: 'no answer' };

/** One sample a second. */
function run(reads: readonly ScaleRead[], options = OPTIONS): Level[] {
  let state = startSettling;
  return reads.flatMap((read, second) => {
    const next = settle(state, { at: 1_000 * (second + 1), read }, options);
    state = next.state;
    return next.level === null ? [] : [next.level];
  });
}

test('five samples that agree make a level: their mean, number and spread', () => {
  const levels = run([1_000, 1_050, 1_000, 950, 1_000].map((mass) => weight(mass)));
  expect(levels).toHaveLength(1);
  expect(levels[0]).toMatchObject({ at: 5_000, value: 1_000, samples: 5, quality: 'good' });
  expect(levels[0]?.spread).toBeCloseTo(35.36, 1);
});

test('after a step the new level settles with five new samples and holds none of the old', () => {
  const levels = run([
    ...Array.from({ length: 7 }, () => weight(5_000)),
    ...Array.from({ length: 5 }, () => weight(3_000)),
  ]);
  expect(levels.map(({ at, value }) => ({ at, value }))).toEqual([
    { at: 5_000, value: 5_000 },
    { at: 12_000, value: 3_000 },
  ]);
});

test('samples that the indicator calls unstable are not part of a level', () => {
  const moving = Array.from({ length: 20 }, () => weight(5_000, false));
  expect(run(moving)).toEqual([]);
});

test('a level that does not settle for long is reported as unstable', () => {
  const levels = run(Array.from({ length: 31 }, () => weight(5_000, false)));
  expect(levels.map(({ at, quality }) => ({ at, quality }))).toEqual([
    { at: 30_000, quality: 'unstable' },
    { at: 31_000, quality: 'unstable' },
  ]);
});

test('two failed reads are no news, three are', () => {
  expect(run([silent, silent, weight(1), silent, silent])).toEqual([]);
  expect(run([silent, silent, silent])).toEqual([
    { at: 3_000, value: null, samples: 0, spread: 0, quality: 'comm-error' },
  ]);
});

test('a scale much noisier than its division settles too', () => {
  const noise = [310, -120, 45, -280, 190, -60, 240, -330, 15, 130];
  expect(run(noise.map((off) => weight(8_000 + off)))).toHaveLength(2);
});

describe('whatever the scale says', () => {
  const read = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: -500, max: 500 }).map((mass) => weight(mass)) },
    { weight: 2, arbitrary: fc.integer({ min: -1e9, max: 1e9 }).map((mass) => weight(mass)) },
    { weight: 1, arbitrary: fc.integer({ min: -500, max: 500 }).map((m) => weight(m, false)) },
    { weight: 2, arbitrary: fc.constant(silent) },
  );

  test('a level is the mean of samples that were read, and a fault never has a value', () => {
    fc.assert(
      fc.property(fc.array(read, { maxLength: 120 }), (reads) => {
        const masses = reads.flatMap((each) => (each.ok ? [each.massMg] : []));
        for (const { value, samples, spread, quality } of run(reads)) {
          expect(value === null).toBe(quality === 'comm-error');
          expect(samples === 0).toBe(value === null);
          expect(spread).toBeGreaterThanOrEqual(0);
          if (value === null) continue;
          expect(value).toBeGreaterThanOrEqual(Math.min(...masses));
          expect(value).toBeLessThanOrEqual(Math.max(...masses));
        }
      }),
    );
  });

  test('every good level comes from five samples in a row', () => {
    fc.assert(
      fc.property(fc.array(read, { maxLength: 120 }), (reads) => {
        for (const { at, quality } of run(reads)) {
          if (quality !== 'good') continue;
          const last = at / 1_000;
          const used = reads.slice(last - 5, last);
          expect(used.every((each) => each.ok && each.stable)).toBe(true);
        }
      }),
    );
  });
});

describe('wrong samples that no frame gave away', () => {
  const OFF = fc.integer({ min: -60_000_000, max: 60_000_000 });
  const noisy = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 40, maxLength: 40 });

  test('one in every five, of any size: a good level is off by no more than the noise explains', () => {
    const minSamples = fc.integer({ min: 5, max: 9 });
    fc.assert(
      fc.property(minSamples, noisy, OFF, fc.nat(4), (samples, noise, off, at) => {
        const reads = noise.map((each, place) =>
          weight(5_000 + each + (place % 5 === at ? off : 0)),
        );
        const levels = run(reads, { minSamples: samples, division: 100 });
        for (const { value } of levels.filter(({ quality }) => quality === 'good')) {
          expect(Math.abs((value ?? Infinity) - 5_000)).toBeLessThanOrEqual(300);
        }
      }),
    );
  });

  test.each([2, 3, 4, 5, 8])(
    'a single one among the first %i is part of no level',
    (minSamples) => {
      for (let wrong = 0; wrong < minSamples; wrong += 1) {
        const reads = Array.from({ length: minSamples }, (_, place) =>
          weight(place === wrong ? 9_000_000 : 5_000),
        );
        expect(run(reads, { minSamples, division: 100 }), `${wrong}`).toEqual([]);
      }
    },
  );

  test('two of five are part of no level', () => {
    const [good, bad, worse] = [weight(5_000), weight(45_000), weight(5_400_000)];
    expect(run([good, bad, good, worse, good])).toEqual([]);
  });
});
