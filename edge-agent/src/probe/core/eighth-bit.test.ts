import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EIGHTH_BITS, eighthBitOf, inEightBits } from './eighth-bit.ts';

test('what the eighth bit of a scale is used for is seen in its text', () => {
  const weight = fc.integer({ min: 0, max: 999_999 }).map((n) => `ST,+${n}.0  g\r\n`);
  fc.assert(
    fc.property(weight, fc.constantFrom(...EIGHTH_BITS), (text, use) => {
      expect(eighthBitOf(inEightBits(text, use))).toBe(use);
    }),
  );
});

test('characters with parity are those of the line', () => {
  // S 1010011, I 1001001: four and three ones.
  expect([...inEightBits('SI', 'even')]).toEqual([0x53, 0xc9]);
  expect([...inEightBits('SI', 'odd')]).toEqual([0xd3, 0x49]);
});

test('bytes that agree on nothing are eight bits of data', () => {
  expect(eighthBitOf(Uint8Array.from({ length: 256 }, (_, n) => n))).toBe('data');
  expect(eighthBitOf(new Uint8Array())).toBe('data');
});
