import { expect, test } from 'vitest';
import { liveFigure, type LiveReading } from './live.ts';

const screws = {
  unit: 'piece',
  tareMg: 250_000,
  pieceMassMg: 2_000,
  capacityMg: 6_000_000,
} as const;
const pellets = { ...screws, unit: 'mg', pieceMassMg: null } as const;
const reading = (value: number | null, changes: Partial<LiveReading> = {}): LiveReading => ({
  at: 1,
  value,
  unit: 'mg',
  quality: 'good',
  ...changes,
});

test.each([
  ['a weight', reading(450_700), screws, { quantity: 100, massMg: 200_700 }],
  ['a weight of bulk', reading(450_700), pellets, { quantity: 200_700, massMg: 200_700 }],
  ['a count', reading(97, { unit: 'count' }), screws, { quantity: 97, massMg: 194_000 }],
  ['a fill level', reading(500, { unit: 'permille' }), screws, { quantity: 1_500, massMg: 3e6 }],
] as const)('%s shows a quantity', (_, of, setup, figure) => {
  expect(liveFigure(of, setup)).toEqual(figure);
});

test.each([
  ['nothing measured', reading(null, { quality: 'comm-error' }), screws],
  ['an unsettled weight', reading(450_000, { quality: 'unstable' }), screws],
  ['a count of bulk', reading(97, { unit: 'count' }), pellets],
] as const)('%s is never a quantity, and never 0', (_, of, setup) => {
  expect(liveFigure(of, setup)).toEqual({ quantity: null, massMg: null });
});
