import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyOf, normalAt, streamOf, uniformAt } from './random.ts';

const COUNT = 100_000;

test('normal numbers have mean 0, deviation 1 and no memory', () => {
  const key = keyOf(1, 'noise');
  const values = Array.from({ length: COUNT }, (_, i) => normalAt(key, i));
  const mean = values.reduce((sum, value) => sum + value, 0) / COUNT;
  const square = values.reduce((sum, value) => sum + value * value, 0) / COUNT;
  const lag = values.reduce((sum, value, i) => sum + value * (values[i + 1] ?? 0), 0) / COUNT;
  // Five standard errors each.
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(COUNT));
  expect(Math.abs(square - 1)).toBeLessThan(5 * Math.sqrt(2 / COUNT));
  expect(Math.abs(lag)).toBeLessThan(5 / Math.sqrt(COUNT));
});

test('streams of different names do not resemble each other', () => {
  const [a, b] = [keyOf(1, 'bin-1', 'noise'), keyOf(1, 'bin-2', 'noise')];
  let product = 0;
  for (let i = 0; i < COUNT; i += 1) product += normalAt(a, i) * normalAt(b, i);
  expect(Math.abs(product / COUNT)).toBeLessThan(5 / Math.sqrt(COUNT));
});

test('a name is not the same as its parts', () => {
  expect(keyOf(1, 'ab', 'c')).not.toBe(keyOf(1, 'a', 'bc'));
  expect(keyOf(1, 'a')).not.toBe(keyOf(2, 'a'));
});

test('uniform numbers stay strictly inside 0 and 1, also for indices beyond 32 bits', () => {
  fc.assert(
    fc.property(fc.nat(), fc.maxSafeInteger(), (key, index) => {
      const value = uniformAt(key, index);
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(1);
    }),
  );
});

test('integers reach both ends', () => {
  const stream = streamOf(3);
  const seen = new Set(Array.from({ length: 1000 }, () => stream.integer(2, 5)));
  expect(seen).toEqual(new Set([2, 3, 4, 5]));
});
