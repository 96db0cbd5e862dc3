import type { ScaleRead } from '../core/scale-read.ts';
import { widthOf, type RegisterProfile, type RegisterType } from './profile.ts';

type Bit = RegisterProfile['status']['stable'];

const isSet = (word: number, { bit, inverted }: Bit): boolean =>
  ((word >> bit) & 1) === (inverted ? 0 : 1);

/**
 * What the registers of one answer say.
 * @param words the profile's whole block, unsigned 16 bit each
 * @param countMg mass of one count, mg
 */
export function decodeRegisters(
  profile: RegisterProfile,
  words: readonly number[],
  countMg: number,
): ScaleRead {
  const { block, gross, status } = profile;
  const state = words[status.address - block.address];
  const bytes = Buffer.alloc(2 * widthOf(gross.type));
  for (let place = 0; place < bytes.length / 2; place += 1) {
    const word = words[gross.address - block.address + place];
    if (word === undefined || state === undefined) {
      const why = `answered with ${words.length} registers instead of ${block.registers}`;
      return { ok: false, quality: 'comm-error', why };
    }
    const low = gross.wordOrder === 'low-first' ? bytes.length / 2 - 1 - place : place;
    if (gross.byteOrder === 'big') bytes.writeUInt16BE(word, 2 * low);
    else bytes.writeUInt16LE(word, 2 * low);
  }
  const fault = status.faults.find((candidate) => isSet(state ?? 0, candidate));
  if (fault !== undefined) return { ok: false, quality: fault.quality, why: fault.why };
  const count = NUMBER_IN[gross.type](bytes);
  const sign = gross.negative !== undefined && isSet(state ?? 0, gross.negative) ? -1 : 1;
  const massMg = Math.round(sign * count * countMg);
  if (!Number.isSafeInteger(massMg)) {
    return { ok: false, quality: 'comm-error', why: `a weight that is no number: ${count}` };
  }
  // Minus zero is not equal to zero in every comparison.
  return { ok: true, massMg: massMg + 0, stable: isSet(state ?? 0, status.stable) };
}

/** Reads a number from its bytes, high byte first. */
const NUMBER_IN: Readonly<Record<RegisterType, (bytes: Buffer) => number>> = {
  int16: (bytes) => bytes.readInt16BE(),
  uint16: (bytes) => bytes.readUInt16BE(),
  int32: (bytes) => bytes.readInt32BE(),
  uint32: (bytes) => bytes.readUInt32BE(),
  float32: (bytes) => bytes.readFloatBE(),
};
