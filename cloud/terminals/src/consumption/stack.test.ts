import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ConsumptionRow } from '../../../src/http/contract.ts';
import { MOST_BARS, speedsOf, stackOf } from './stack.ts';

const row = (key: string, from: number, consumed: number, changes = {}): ConsumptionRow => ({
  key,
  unit: 'piece',
  from,
  to: from + 10,
  consumed,
  consumedLow: consumed,
  consumedHigh: consumed,
  refilled: 0,
  unexplained: 0,
  adjusted: 0,
  exposureMs: 10,
  perDay: consumed * 2,
  ...changes,
});
const STEPS = [0, 10, 20];

test('each group is a bar, the largest first, and steps without rows are 0', () => {
  const bars = stackOf([row('a', 0, 3), row('b', 10, 4), row('b', 20, 1)], 'piece', STEPS);
  expect(bars).toEqual([
    { key: 'b', amounts: [0, 4, 1] },
    { key: 'a', amounts: [3, 0, 0] },
  ]);
});

test('pieces and bulk are never in one stack', () => {
  const rows = [row('a', 0, 3), row('a', 0, 5_000_000, { unit: 'mg' })];
  expect(stackOf(rows, 'piece', STEPS)).toEqual([{ key: 'a', amounts: [3, 0, 0] }]);
  expect(stackOf(rows, 'mg', STEPS)).toEqual([{ key: 'a', amounts: [5_000_000, 0, 0] }]);
});

test('whatever the number of groups, the bars add up to what was consumed', () => {
  const rows = fc.array(fc.record({ key: fc.nat(20), step: fc.nat(2), consumed: fc.nat(1_000) }), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(rows, (drawn) => {
      const of = drawn.map(({ key, step, consumed }) => row(`k${key}`, step * 10, consumed));
      const bars = stackOf(of, 'piece', STEPS);
      expect(bars.length).toBeLessThanOrEqual(MOST_BARS + 1);
      const shown = bars.flatMap(({ amounts }) => amounts).reduce((sum, n) => sum + n, 0);
      expect(shown).toBe(of.reduce((sum, { consumed }) => sum + consumed, 0));
    }),
  );
});

test('the speed of a step in which nothing could be seen is unknown, not 0', () => {
  const rows = [row('total', 0, 3), row('total', 20, 0, { perDay: null, exposureMs: 0 })];
  expect(speedsOf(rows, 'piece', STEPS)).toEqual([6, null, null]);
});
