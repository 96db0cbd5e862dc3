import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Bin, MovementView, ReadingView } from '../../../src/http/contract.ts';
import { curveOf, thinned, type Point } from './curve.ts';

const BIN: Bin = {
  id: 'a1',
  name: 'A1',
  siteId: 'north',
  capacityMg: 1_000_000,
  productId: 'screw',
  tareMg: 1_000,
  pieceMassMg: 200,
  since: 100,
};
const reading = (at: number, value: number | null, changes = {}): ReadingView => ({
  at,
  value,
  unit: 'mg',
  samples: 5,
  spread: 1,
  quality: 'good',
  synced: true,
  ...changes,
});
const movement = (at: number, changes: Partial<MovementView> = {}): MovementView => ({
  binId: 'a1',
  ordinal: at,
  productId: 'screw',
  from: at - 1,
  at,
  kind: 'consumption',
  quantity: -2,
  low: -2,
  high: -2,
  massMg: -400,
  confidencePpm: 999_000,
  closing: 8,
  ...changes,
});

test('net mass is shown in pieces, or in mg for bulk', () => {
  expect(curveOf(BIN, [reading(200, 3_000)], [], 0).weighed).toEqual([[200, 10]]);
  const bulk = { ...BIN, pieceMassMg: null };
  expect(curveOf(bulk, [reading(200, 3_000)], [], 0).weighed).toEqual([[200, 2_000]]);
});

test('a reading that is not good breaks the line and is counted, never drawn as 0', () => {
  const readings = [reading(200, 3_000), reading(300, null, { quality: 'comm-error' })];
  const { weighed, notGood } = curveOf(BIN, readings, [], 0);
  expect(weighed).toEqual([
    [200, 10],
    [300, null],
  ]);
  expect(notGood).toBe(1);
});

test('readings from before the present setup are left out', () => {
  expect(curveOf(BIN, [reading(99, 3_000)], [], 0).weighed).toEqual([]);
});

test('the counted stock follows the movements of the present product', () => {
  const movements = [
    movement(200),
    movement(300, { kind: 'refill', closing: 50 }),
    movement(400, { productId: 'nut' }),
  ];
  const { counted, refills } = curveOf(BIN, [], movements, 200);
  expect(counted).toEqual([
    [200, 8],
    [300, 50],
  ]);
  expect(refills).toEqual([[300, 50]]);
});

const numbers = (of: readonly Point[]) =>
  of.flatMap(([, quantity]) => (quantity === null ? [] : [quantity]));

test('the counted stock begins with the opening one and lasts until the newest reading', () => {
  const { counted } = curveOf(BIN, [reading(500, 2_600)], [movement(200)], 150);
  expect(counted).toEqual([
    [150, 10],
    [200, 8],
    [500, 8],
  ]);
});

test('thinning keeps the lowest, the highest, the order and every stretch with a break', () => {
  const values = fc.array(fc.option(fc.integer({ min: 0, max: 1_000 }), { freq: 20 }), {
    minLength: 1,
    maxLength: 600,
  });
  fc.assert(
    fc.property(values, (drawn) => {
      const points = drawn.map((quantity, at): Point => [at, quantity]);
      const kept = thinned(points, 100);
      expect(Math.max(...numbers(kept))).toBe(Math.max(...numbers(points)));
      expect(Math.min(...numbers(kept))).toBe(Math.min(...numbers(points)));
      expect(kept.some(([, quantity]) => quantity === null)).toBe(drawn.includes(null));
      expect(kept.every(([at], index) => index === 0 || at > (kept[index - 1]?.[0] ?? -1))).toBe(
        true,
      );
      expect(kept.length).toBeLessThanOrEqual(153);
    }),
  );
});
