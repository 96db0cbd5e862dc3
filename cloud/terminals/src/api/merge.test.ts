import { expect, test } from 'vitest';
import { mergeItems } from './merge.ts';

interface Item {
  readonly id: string;
  readonly at: number;
}
const merge = (old: readonly Item[], changed: readonly Item[]) =>
  mergeItems(
    { items: old, complete: true },
    changed,
    ({ id }) => id,
    (before, after) => after.at >= before.at,
  ).items;

test('a newer item takes the place of the older one', () => {
  const items = merge(
    [
      { id: 'a', at: 1 },
      { id: 'b', at: 1 },
    ],
    [{ id: 'a', at: 2 }],
  );
  expect(items).toEqual([
    { id: 'a', at: 2 },
    { id: 'b', at: 1 },
  ]);
});

test('an event that was overtaken changes nothing', () => {
  expect(merge([{ id: 'a', at: 5 }], [{ id: 'a', at: 4 }])).toEqual([{ id: 'a', at: 5 }]);
});

test('of two events in one piece the later counts, and an unknown id is appended', () => {
  const changed = [
    { id: 'c', at: 1 },
    { id: 'c', at: 2 },
  ];
  expect(merge([], changed)).toEqual([{ id: 'c', at: 2 }]);
});
