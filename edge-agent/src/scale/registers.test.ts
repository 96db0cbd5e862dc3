import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ScaleRead } from '../core/scale-read.ts';
import { loadProfile, type RegisterProfile } from './profile.ts';
import { decodeRegisters } from './registers.ts';

const dgt = loadProfile('dini-argeo-dgt');
const generic = loadProfile('generic-int32');

const readDgt = (...words: number[]): ScaleRead => decodeRegisters(dgt, words, 1_000);
const readGeneric = (...words: number[]): ScaleRead => decodeRegisters(generic, words, 100);

describe('dini-argeo-dgt', () => {
  test('a stable gross weight above 65,535 counts takes both words', () => {
    expect(readDgt(1, 2, 0, 0, 0b100)).toEqual({ ok: true, massMg: 65_538_000, stable: true });
  });

  test('the sign of gross is bit 1, not that of net', () => {
    expect(readDgt(0, 7, 0, 0, 0b110)).toEqual({ ok: true, massMg: -7_000, stable: true });
    expect(readDgt(0, 7, 0, 0, 0b101)).toEqual({ ok: true, massMg: 7_000, stable: true });
  });

  test('underload and overload have no weight', () => {
    expect(readDgt(0, 7, 0, 0, 0b1100)).toMatchObject({ ok: false, quality: 'underload' });
    expect(readDgt(0, 7, 0, 0, 0b10100)).toMatchObject({ ok: false, quality: 'overload' });
  });

  test('fewer registers than asked for are a fault, not a zero', () => {
    expect(readDgt(0, 7)).toMatchObject({ ok: false, quality: 'comm-error' });
    expect(readDgt()).toMatchObject({ ok: false, quality: 'comm-error' });
  });
});

describe('generic-int32', () => {
  test('a negative weight is in two’s complement', () => {
    expect(readGeneric(0xffff, 0xfffe, 1)).toEqual({ ok: true, massMg: -200, stable: true });
    expect(readGeneric(0, 0, 0)).toEqual({ ok: true, massMg: 0, stable: false });
  });

  test('a fault of the load cell comes before any other bit', () => {
    expect(readGeneric(0, 0, 0b1111)).toMatchObject({ ok: false, quality: 'comm-error' });
    expect(readGeneric(0, 0, 0b0011)).toMatchObject({ ok: false, quality: 'overload' });
    expect(readGeneric(0, 0, 0b0101)).toMatchObject({ ok: false, quality: 'underload' });
  });
});

const withGross = (gross: Partial<RegisterProfile['gross']>): RegisterProfile => ({
  ...generic,
  gross: { ...generic.gross, ...gross },
});

test.each([
  ['int16', 'high-first', 'big', [0xfffe], -2],
  ['uint16', 'high-first', 'big', [0xfffe], 65_534],
  ['uint32', 'low-first', 'big', [0x5678, 0x1234], 0x12345678],
  ['int32', 'high-first', 'little', [0x3412, 0x7856], 0x12345678],
  ['int32', 'low-first', 'little', [0x7856, 0x3412], 0x12345678],
  ['float32', 'high-first', 'big', [0x42f6, 0xe979], 123.456],
] as const)('%s, %s, %s', (type, wordOrder, byteOrder, words, value) => {
  const profile = {
    ...withGross({ type, wordOrder, byteOrder }),
    status: { ...generic.status, address: 2 },
  };
  const block = [...words, ...Array.from({ length: 2 - words.length }, () => 0), 0];
  expect(decodeRegisters(profile, block, 1_000)).toMatchObject({
    massMg: Math.round(value * 1_000),
  });
});

test('a float that is no number is a fault', () => {
  const profile = withGross({ type: 'float32' });
  expect(decodeRegisters(profile, [0x7fc0, 0, 1], 1)).toMatchObject({ quality: 'comm-error' });
  expect(decodeRegisters(profile, [0x7f80, 0, 1], 1)).toMatchObject({ quality: 'comm-error' });
});

test('whatever the registers hold, a weight is an integer of this profile', () => {
  const word = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 3, maxLength: 3 }),
      fc.nat(10_000),
      (words, countMg) => {
        const read = decodeRegisters(generic, words, countMg + 1);
        if (!read.ok) return;
        expect(Number.isSafeInteger(read.massMg)).toBe(true);
        expect(Math.abs(read.massMg % (countMg + 1))).toBe(0);
      },
    ),
  );
});
