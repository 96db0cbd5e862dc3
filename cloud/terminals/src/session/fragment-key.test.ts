import { expect, test } from 'vitest';
import { keyOfFragment } from './fragment-key.ts';

test('a key is taken from the fragment', () => {
  expect(keyOfFragment('#key=off_a1b2')).toBe('off_a1b2');
});

test('a place is no key', () => {
  expect(keyOfFragment('#/stock?search=key=off_1')).toBeNull();
  expect(keyOfFragment('#key=')).toBeNull();
  expect(keyOfFragment('')).toBeNull();
});
