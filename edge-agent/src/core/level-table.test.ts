import fc from 'fast-check';
import { expect, test } from 'vitest';
import { massAt } from './level-table.ts';

const HOPPER = [
  { at: 4_000, massMg: 0 },
  { at: 12_000, massMg: 900 },
  { at: 20_000, massMg: 2_500 },
];

test('a level between two points is linear between their masses', () => {
  expect(massAt(HOPPER, 4_000)).toBe(0);
  expect(massAt(HOPPER, 8_000)).toBe(450);
  expect(massAt(HOPPER, 12_000)).toBe(900);
  expect(massAt(HOPPER, 16_000)).toBe(1_700);
  expect(massAt(HOPPER, 20_000)).toBe(2_500);
});

test('a level beyond the table has no mass', () => {
  expect(massAt(HOPPER, 3_999)).toBe('below');
  expect(massAt(HOPPER, 20_001)).toBe('above');
});

test('a sensor that measures from above sees less mass the farther it looks', () => {
  const distance = [
    { at: 300, massMg: 1_000 },
    { at: 2_300, massMg: 0 },
  ];
  expect(massAt(distance, 1_300)).toBe(500);
});

test('a table that rises gives masses that rise, within its ends', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(60_000), { minLength: 2, maxLength: 12 }),
      fc.array(fc.nat(1_000_000), { minLength: 12, maxLength: 12 }),
      fc.tuple(fc.nat(60_000), fc.nat(60_000)),
      (places, steps, values) => {
        let massMg = 0;
        const table = places
          .toSorted((a, b) => a - b)
          .map((at, place) => ({ at, massMg: (massMg += steps[place] ?? 0) }));
        const [low, high] = values.toSorted((a, b) => a - b).map((value) => massAt(table, value));
        if (typeof low !== 'number' || typeof high !== 'number') return;
        expect(low).toBeLessThanOrEqual(high);
        expect(low).toBeGreaterThanOrEqual(table[0]?.massMg ?? Infinity);
        expect(high).toBeLessThanOrEqual(massMg);
      },
    ),
  );
});
