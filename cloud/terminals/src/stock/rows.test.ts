import { expect, test } from 'vitest';
import type { StockView } from '../../../src/http/contract.ts';
import { attentionOf, filterRows, rowsOf, sortRows } from './rows.ts';

const bin = (binId: string, changes: Partial<StockView> = {}): StockView => ({
  binId,
  binName: `Bin ${binId}`,
  siteId: 'north',
  customerId: 'acme',
  productId: 'screw',
  productName: 'Screw M4',
  unit: 'piece',
  quantity: 100,
  massMg: 200_000,
  capacityMg: 1_000_000,
  readAt: 1_000,
  ageMs: 5,
  quality: 'good',
  health: 'ok',
  live: null,
  ...changes,
});

const rows = (stock: readonly StockView[], perDay: Record<string, number> = {}) =>
  rowsOf({
    stock,
    sites: [{ id: 'north', name: 'Hall North', customerId: 'acme', timeZone: 'UTC' }],
    customers: [{ id: 'acme', name: 'Acme' }],
    perDay: new Map(Object.entries(perDay)),
  });
const ids = (of: readonly { readonly stock: StockView }[]) => of.map(({ stock }) => stock.binId);
const compare = (a: string, b: string) => a.localeCompare(b);

test('a bin with a failing source or little left needs attention', () => {
  expect(attentionOf(bin('a'), { kind: 'days', days: 10 })).toEqual([]);
  expect(attentionOf(bin('a', { health: 'offline' }), { kind: 'days', days: 1 })).toEqual([
    'source',
    'low',
  ]);
  expect(attentionOf(bin('a', { quantity: 0 }), { kind: 'days', days: 0 })).toEqual(['empty']);
});

test('days left come from the bin of the same id', () => {
  expect(rows([bin('a'), bin('b')], { a: 50 }).map(({ left }) => left)).toEqual([
    { kind: 'days', days: 2 },
    { kind: 'unknown', why: 'no-speed' },
  ]);
});

test('every word searched for must occur in a name or id', () => {
  const all = rows([bin('a1'), bin('b2', { productName: 'Nut', productId: 'nut' })]);
  expect(ids(filterRows(all, { search: 'acme NUT' }))).toEqual(['b2']);
  expect(ids(filterRows(all, { search: 'hall' }))).toEqual(['a1', 'b2']);
  expect(ids(filterRows(all, { search: 'hall bolt' }))).toEqual([]);
});

test('filters narrow together', () => {
  const all = rows([bin('a'), bin('b', { siteId: 'south' }), bin('c', { health: 'late' })]);
  expect(ids(filterRows(all, { siteId: 'north', attention: true }))).toEqual(['c']);
  expect(ids(filterRows(all, { customerId: 'other' }))).toEqual([]);
});

test('the shortest range comes first and the unknown last, ties by place', () => {
  const all = rows([bin('c'), bin('b'), bin('a'), bin('d')], { c: 10, d: 50 });
  expect(ids(sortRows(all, 'left', false, compare))).toEqual(['d', 'c', 'a', 'b']);
});

test('a bin that was never measured is the emptiest and the oldest', () => {
  const silent = bin('s', { massMg: null, quantity: null, readAt: null, health: 'silent' });
  const all = rows([bin('a'), silent]);
  expect(ids(sortRows(all, 'fill', false, compare))).toEqual(['s', 'a']);
  expect(ids(sortRows(all, 'age', true, compare))).toEqual(['s', 'a']);
});
