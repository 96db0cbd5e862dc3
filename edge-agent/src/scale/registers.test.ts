import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProfile, spanOf, type RegisterProfile } from '#shared/profile.ts';
import type { ScaleRead } from '../core/scale-read.ts';
import { loadProfile, profileNames } from './profile.ts';
import { decodeRegisters } from './registers.ts';

const dgt = loadProfile('dini-argeo-dgt');
const generic = loadProfile('generic-int32');
const laumas = loadProfile('laumas-tlb');
const pt113 = loadProfile('pt113');
const tuna = loadProfile('tuna-id551pn');
const siwarex = loadProfile('siwarex-wp251');
const rinstrum = loadProfile('rinstrum-c500');

const readDgt = (...words: number[]): ScaleRead => decodeRegisters(dgt, words, 1_000);
const readGeneric = (...words: number[]): ScaleRead => decodeRegisters(generic, words, 100);

/** Status, gross and the register of division and unit. */
const readLaumas = (status: number, gross: number, unit: number): ScaleRead =>
  decodeRegisters(laumas, [status, gross >> 16, gross & 0xffff, 0, 0, 0, 0, unit], null);

const readPt113 = (status: number): ScaleRead => decodeRegisters(pt113, [status, 0, 0, 0, 500], 10);

const readTuna = (status: number): ScaleRead =>
  decodeRegisters(tuna, [0x42f6, 0xe979, status], 1_000_000);

/** Status without a bit, and the higher half of the error. */
const readRinstrum = (high: number): ScaleRead =>
  decodeRegisters(rinstrum, [0, 9, 0, 0, 0, 0, 0, 0, high, 0], 100);

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

describe('laumas-tlb', () => {
  const STABLE = 1 << 11;

  test.each([
    ['kg, division 0.05', 0x000a, 12_345, 123_450_000],
    ['g, division 5', 0x0105, 12_345, 12_345_000],
    ['t, division 0.001', 0x020f, 12_345, 12_345_000_000],
    ['lb, division 1', 0x0306, 10, 4_535_924],
  ])('%s', (_, unit, gross, massMg) => {
    expect(readLaumas(STABLE, gross, unit)).toEqual({ ok: true, massMg, stable: true });
  });

  test('the sign of gross is bit 7, whatever net is', () => {
    expect(readLaumas(STABLE | (1 << 7), 5, 6)).toMatchObject({ massMg: -5_000_000 });
    expect(readLaumas(STABLE | (1 << 8) | (1 << 10), 5, 6)).toMatchObject({ massMg: 5_000_000 });
  });

  test('a unit that is no mass and a division there is not are faults of the configuration', () => {
    expect(readLaumas(STABLE, 5, 0x0806)).toMatchObject({ quality: 'config-error' });
    expect(readLaumas(STABLE, 5, 0x0063)).toMatchObject({ quality: 'config-error' });
  });
});

test('pt113: an error code says more than the bit that data are not valid', () => {
  expect(readPt113(0b010)).toEqual({ ok: true, massMg: 5_000, stable: true });
  expect(readPt113(0b110)).toMatchObject({ ok: true, stable: false });
  expect(readPt113(0b1010)).toMatchObject({ ok: true, massMg: 5_000 });
  expect(readPt113(2 << 13)).toMatchObject({
    quality: 'overload',
    why: 'AD converter above its range',
  });
  expect(readPt113(7 << 13)).toMatchObject({
    quality: 'comm-error',
    why: "the indicator's error 7",
  });
  expect(readPt113(0)).toMatchObject({ quality: 'comm-error', why: 'no valid weight' });
});

test('tuna-id551pn: a zero not found at power-up and being set up are told apart', () => {
  const fine = (1 << 15) | (1 << 13);
  expect(readTuna(fine)).toEqual({ ok: true, massMg: 123_456_001, stable: true });
  expect(readTuna(fine | (1 << 12))).toMatchObject({ ok: true, stable: false });
  expect(readTuna(1 << 15)).toMatchObject({
    quality: 'config-error',
    why: 'zero not found at power-up',
  });
  expect(readTuna(fine | (1 << 14))).toMatchObject({ why: 'being set up' });
  expect(readTuna(1 << 13)).toMatchObject({ why: 'the indicator has no valid weight' });
});

test('siwarex-wp251: registers that are off by one are told by the number of the record', () => {
  const record = [30, 112, 105, 1, 1 << 6, 0, 0, 0, 0x4120, 0];
  expect(decodeRegisters(siwarex, record, 1_000_000)).toMatchObject({ massMg: 10_000_000 });
  const shifted = [...record.slice(1), 0];
  expect(decodeRegisters(siwarex, shifted, 1_000_000)).toMatchObject({ quality: 'config-error' });
});

test('rinstrum-c500: an error of any of 32 bits is an error', () => {
  expect(readRinstrum(0)).toEqual({ ok: true, massMg: 900, stable: true });
  expect(readRinstrum(0x8000)).toMatchObject({
    ok: false,
    why: "the indicator's error 2147483648",
  });
});

const withValue = (changes: Partial<RegisterProfile['value']>): RegisterProfile => ({
  ...generic,
  value: { ...generic.value, ...changes },
});

test.each([
  ['int16', 'big', 'big', [0xfffe], -2],
  ['uint16', 'big', 'big', [0xfffe], 65_534],
  ['uint32', 'little', 'big', [0x5678, 0x1234], 0x12345678],
  ['int32', 'big', 'little', [0x3412, 0x7856], 0x12345678],
  ['int32', 'little', 'little', [0x7856, 0x3412], 0x12345678],
  ['float32', 'big', 'big', [0x42f6, 0xe979], 123.456],
] as const)('%s, words %s, bytes %s', (type, order, bytes, words, value) => {
  const profile = { ...withValue({ type }), status: undefined, words: { order, bytes } };
  expect(decodeRegisters(profile, words, 1_000)).toMatchObject({
    massMg: Math.round(value * 1_000),
    stable: true,
  });
});

test('a float that is no number is a fault', () => {
  const profile = withValue({ type: 'float32' });
  for (const high of [0x7fc0, 0x7f80, 0xff80]) {
    expect(decodeRegisters(profile, [high, 0, 1], 1)).toMatchObject({ quality: 'comm-error' });
  }
});

test('an indicator that shows net gives no weight, and says why', () => {
  const displayed = parseProfile(
    'x.yaml',
    `{ name: x, vendor: v, manual: m, table: input, unit: g, value: { address: 0, type: int16, is: displayed },
       status: { address: 1, bits: [{ bit: 3, means: net }, { bit: 0, inverted: true, means: stable }] } }`,
  );
  expect(decodeRegisters(displayed, [5, 0], null)).toEqual({
    ok: true,
    massMg: 5_000,
    stable: true,
  });
  expect(decodeRegisters(displayed, [5, 0b1000], null)).toMatchObject({
    quality: 'config-error',
    why: expect.stringContaining('net'),
  });
});

test.each(profileNames())('%s: whatever the registers hold, a weight is a whole number', (name) => {
  const profile = loadProfile(name);
  const { count } = spanOf(profile);
  const word = fc.integer({ min: 0, max: 0xffff });
  const countMg = fc.integer({ min: 1, max: 10_000_000 });
  fc.assert(
    fc.property(fc.array(word, { maxLength: count + 2 }), countMg, (words, mass) => {
      const read = decodeRegisters(profile, words, profile.unit === undefined ? mass : null);
      if (read.ok) {
        expect(words).toHaveLength(count);
        expect(Number.isSafeInteger(read.massMg)).toBe(true);
      }
    }),
  );
});

interface Vectors {
  readonly profiles: Readonly<
    Record<
      string,
      {
        readonly address: number;
        readonly countMg: number;
        readonly cases: readonly {
          readonly what: string;
          readonly words: string;
          readonly means: { readonly quality: string; readonly grossMg: number | null };
        }[];
      }
    >
  >;
}

const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../shared/vectors/registers.json'), 'utf8'),
) as Vectors;

const QUALITY: Readonly<Record<string, string>> = {
  overload: 'overload',
  underload: 'underload',
  error: 'comm-error',
};

describe.each(Object.entries(vectors.profiles))(
  'vectors of %s',
  (name, { address, countMg, cases }) => {
    const profile = loadProfile(name);
    const { first, count } = spanOf(profile);

    test.each(cases)('$what', ({ words, means }) => {
      const image = words.split(' ').map((word) => Number.parseInt(word, 16));
      const span = image.slice(first - address, first - address + count);
      const read = decodeRegisters(profile, span, profile.unit === undefined ? countMg : null);
      if (means.quality === 'good' || means.quality === 'unstable') {
        expect(read).toMatchObject({
          ok: true,
          massMg: means.grossMg,
          stable: means.quality === 'good',
        });
      } else expect(read).toMatchObject({ quality: QUALITY[means.quality] });
    });
  },
);
