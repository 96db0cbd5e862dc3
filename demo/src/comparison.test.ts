import { expect, test } from 'vitest';
import { compare, grossErrorPercent } from './comparison.ts';

const event = (product: string, quantity: number, kind = 'consumption') => ({
  at: 1,
  bin: 'a1',
  product,
  kind,
  quantity,
});

test('sets what was taken beside what was measured, and leaves refills out', () => {
  const events = [event('bolt', -3), event('bolt', -7), event('bolt', 50, 'refill')];
  const rows = compare(events, [{ key: 'bolt', unit: 'piece', consumed: 9 }], (e) => e.product);
  expect(rows).toEqual([{ key: 'bolt', unit: 'piece', truth: 10, measured: 9, errorPercent: 10 }]);
});

test('counts what only one of them knows as wrong', () => {
  const rows = compare(
    [event('bolt', -10)],
    [{ key: 'nut', unit: 'piece', consumed: 10 }],
    (e) => e.product,
  );
  expect(grossErrorPercent(rows)).toBe(200);
});
