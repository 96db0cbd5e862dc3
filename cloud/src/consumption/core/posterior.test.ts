import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decay, judge } from './posterior.ts';

const sharp = { level: 1_000, variance: 0, scatter: 0 };

test('decay is e^−x to a millionth', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 60, noNaN: true }), (x) => {
      expect(Math.abs(decay(x) - Math.exp(-x))).toBeLessThan(1e-6);
    }),
  );
  expect(decay(41)).toBe(0);
});

test('a clear change is a whole number of pieces, beyond doubt', () => {
  const verdict = judge(-3_010, 400, sharp);
  expect(verdict).toMatchObject({ pieces: -3, alien: false });
  expect(verdict.confidence).toBeGreaterThan(0.999);
});

test('between two numbers of pieces neither is sure', () => {
  const { alien, confidence } = judge(-2_500, 90_000, sharp);
  expect(alien).toBe(false);
  expect(confidence).toBeLessThan(0.6);
});

test('a change that fits no number of pieces is alien', () => {
  expect(judge(2_500, 400, sharp)).toMatchObject({ alien: true });
});

test('less than half a piece is nothing, however sharp it is measured', () => {
  expect(judge(450, 1, sharp)).toMatchObject({ pieces: 0, alien: false });
});

test('beyond half over its relative error, an unlearned weight counts nothing for sure', () => {
  const unlearned = { ...sharp, variance: 15 * 15 };
  expect(judge(-5_000, 400, unlearned).confidence).toBeGreaterThan(0.99);
  expect(judge(-60_000, 400, unlearned).confidence).toBeLessThan(0.5);
});

test('probabilities lie between 0 and 1', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.integer({ min: 1, max: 1e12 }),
      fc.integer({ min: 1, max: 1e7 }),
      (change, variance, level) => {
        const { confidence, ifWhole } = judge(change, variance, { level, variance: 0, scatter: 0 });
        expect(confidence).toBeGreaterThan(0);
        expect(confidence).toBeLessThanOrEqual(1);
        expect(ifWhole).toBeGreaterThanOrEqual(0);
        expect(ifWhole).toBeLessThanOrEqual(1);
      },
    ),
  );
});
