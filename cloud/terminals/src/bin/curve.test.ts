import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MovementView, ReadingView, Setup } from '../../../src/http/contract.ts';
import { curveOf, thinned, type Point } from './curve.ts';

const SETUP: Setup = { since: 100, productId: 'screw', tareMg: 1_000, pieceMassMg: 200 };
/** The curve of a bin that holds screws. */
const curve = (
  readings: readonly ReadingView[],
  movements: readonly MovementView[] = [],
  setups: readonly Setup[] = [SETUP],
  from = 0,
) => curveOf({ productId: 'screw', setups, readings, movements, from });
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
  expect(curve([reading(200, 3_000)]).weighed).toEqual([[200, 10]]);
  const bulk = [{ ...SETUP, pieceMassMg: null }];
  expect(curve([reading(200, 3_000)], [], bulk).weighed).toEqual([[200, 2_000]]);
});

test('a reading that is not good breaks the line and is counted, never drawn as 0', () => {
  const readings = [reading(200, 3_000), reading(300, null, { quality: 'comm-error' })];
  const { weighed, notGood } = curve(readings);
  expect(weighed).toEqual([
    [200, 10],
    [300, null],
  ]);
  expect(notGood).toBe(1);
});

test('each reading is understood by the setup of its time, and only of the present product', () => {
  const nuts = { ...SETUP, since: 0, productId: 'nut' };
  const otherTare = { ...SETUP, since: 300, tareMg: 2_000 };
  const readings = [reading(50, 3_000), reading(200, 3_000), reading(300, 3_000)];
  expect(curve(readings, [], [nuts, SETUP, otherTare]).weighed).toEqual([
    [200, 10],
    [300, 5],
  ]);
});

test('the counted stock follows the movements of the present product', () => {
  const movements = [
    movement(200),
    movement(300, { kind: 'refill', closing: 50 }),
    movement(400, { productId: 'nut' }),
  ];
  const { counted, refills } = curve([], movements, [SETUP], 200);
  expect(counted).toEqual([
    [200, 8],
    [300, 50],
  ]);
  expect(refills).toEqual([[300, 50]]);
});

test('the counted stock begins with the opening one and lasts until the newest reading', () => {
  const { counted } = curve([reading(500, 2_600)], [movement(200)], [SETUP], 150);
  expect(counted).toEqual([
    [150, 10],
    [200, 8],
    [500, 8],
  ]);
});

const numbers = (of: readonly Point[]) =>
  of.flatMap(([, quantity]) => (quantity === null ? [] : [quantity]));

test('before its first movement a bin is unknown, not empty', () => {
  const first = movement(200, { ordinal: 1, kind: 'adjustment', quantity: 8 });
  expect(curve([], [first], [SETUP], 150).counted).toEqual([[200, 8]]);
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
