import fc from 'fast-check';
import { expect, test } from 'vitest';
import { interpretations, type Observation } from './interpretation.ts';

const ENCODING = fc.record({
  order: fc.constantFrom('big' as const, 'little' as const),
  bytes: fc.constantFrom('big' as const, 'little' as const),
});

function wordsOf(
  image: Buffer,
  { order, bytes }: { order: 'big' | 'little'; bytes: 'big' | 'little' },
): number[] {
  const words = [0, 2].map((at) =>
    bytes === 'big' ? image.readUInt16BE(at) : image.readUInt16LE(at),
  );
  return order === 'big' ? words : words.toReversed();
}

const int32 = (value: number): Buffer => {
  const image = Buffer.alloc(4);
  image.writeInt32BE(value);
  return image;
};
const float32 = (value: number): Buffer => {
  const image = Buffer.alloc(4);
  image.writeFloatBE(value);
  return image;
};

const observation = (weightMg: number, address: number, value: number[]): Observation => ({
  weightMg,
  blocks: [
    { table: 'holding', first: 0, words: [...Array<number>(address).fill(7), ...value, 9, 9] },
  ],
});

const magnitude = (massMg: number, status: number): Observation => ({
  weightMg: massMg,
  blocks: [{ table: 'input', first: 0, words: [0, Math.abs(massMg) / 1_000, 0b1000 | status, 3] }],
});

test('a signed count is found wherever and however it lies, by three weights', () => {
  const scale = fc.constantFrom(1, 10, 100, 1_000);
  fc.assert(
    fc.property(ENCODING, fc.nat(20), scale, (encoding, address, countMg) => {
      const looks = [123_456_000, 987_000, -54_321_000].map((massMg) =>
        observation(massMg, address, wordsOf(int32(massMg / countMg), encoding)),
      );
      const found = interpretations(looks);
      expect(found).toEqual([
        { table: 'holding', address, type: 'int32', ...encoding, countMg, sign: 'value' },
      ]);
    }),
  );
});

test('a float is found with its unit', () => {
  fc.assert(
    fc.property(ENCODING, fc.nat(20), (encoding, address) => {
      const looks = [500_000, 1_203_000].map((massMg) =>
        observation(massMg, address, wordsOf(float32(massMg / 1e6), encoding)),
      );
      expect(interpretations(looks)).toEqual([
        expect.objectContaining({ address, type: 'float32', ...encoding, countMg: 1e6 }),
      ]);
    }),
  );
});

test('a magnitude with its sign in a bit is found once the scale was below zero', () => {
  const looks = [magnitude(500_000, 0), magnitude(1_200_000, 4), magnitude(-300_000, 2)];
  expect(interpretations(looks)).toContainEqual({
    table: 'input',
    address: 0,
    type: 'uint32',
    order: 'big',
    bytes: 'big',
    countMg: 1_000,
    sign: { address: 2, bit: 1 },
  });
  expect(interpretations(looks).every(({ type }) => type === 'uint32')).toBe(true);
});

test('without a negative weight nothing is said of the sign', () => {
  const found = interpretations([
    observation(500_000, 0, wordsOf(int32(500), { order: 'big', bytes: 'big' })),
  ]);
  expect(found.length).toBeGreaterThan(0);
  expect(found.every(({ sign }) => sign === 'unseen')).toBe(true);
});
