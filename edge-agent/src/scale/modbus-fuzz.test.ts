import { expect, test } from 'vitest';
import { seededRandom } from '#shared/testing/random.ts';
import { BrokenFrame, crc16, type ModbusRequest } from './modbus-frame.ts';
import { rtuAnswer } from './rtu-line.ts';

/** A million, which take 6 s, were tried with the same outcome. */
const FRAMES = 200_000;
const SEED = 1;

const REQUEST: ModbusRequest = { unit: 3, table: 'holding', first: 0, count: 3 };

function sound(words: readonly number[]): Buffer {
  const frame = Buffer.alloc(11);
  frame.set([3, 3, 6]);
  for (const [place, word] of words.entries()) frame.writeUInt16BE(word, 3 + 2 * place);
  frame.writeUInt16LE(crc16(frame.subarray(0, 9)), 9);
  return frame;
}

/** `null` for anything that is refused, or that more bytes would have to follow. */
function accepted(came: Buffer): Buffer | null {
  try {
    return rtuAnswer(REQUEST, came);
  } catch (error) {
    if (error instanceof BrokenFrame) return null;
    throw error;
  }
}

test('checksums are those of another implementation', () => {
  // pymodbus.utilities.computeCRC, low byte first.
  expect(crc16(Buffer.from('010306000000050001', 'hex'))).toBe(0xb4f0);
  expect(crc16(Buffer.from('010306000000060001', 'hex'))).toBe(0xb400);
});

test(`of ${FRAMES} mutated and random frames, none is read as a weight`, () => {
  const chance = seededRandom(SEED);
  const below = (limit: number): number => Math.floor(chance() * limit);
  const whole = sound([1, 2, 3]);
  const spoil: readonly (() => Buffer)[] = [
    // Up to three bits, and bursts of up to 16: what CRC-16 finds always.
    () => {
      const frame = Buffer.from(whole);
      const bits = new Set(Array.from({ length: 1 + below(3) }, () => below(88)));
      for (const bit of bits) frame[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return frame;
    },
    () => {
      const frame = Buffer.from(whole);
      const at = below(10);
      frame.writeUInt16BE(frame.readUInt16BE(at) ^ (1 + below(0xffff)), at);
      return frame;
    },
    // Cut short, cut off, and two in one.
    () => whole.subarray(0, below(whole.length)),
    () => whole.subarray(1 + below(whole.length - 1)),
    () => Buffer.concat([whole, sound([4, 5, 6])]),
    () => Buffer.concat([whole.subarray(0, 1 + below(10)), whole]),
    () => Buffer.from(Array.from({ length: below(30) }, () => below(256))),
  ];
  let wrong = 0;
  for (let n = 0; n < FRAMES; n += 1) {
    const bytes = spoil[n % spoil.length]?.() ?? whole;
    // An exception is no weight.
    if (accepted(bytes)?.[1] === 3) wrong += 1;
  }
  expect(wrong).toBe(0);
  expect(accepted(whole)).toEqual(whole);
});
