import { describe, expect, test } from 'vitest';
import { toledoBytes, withChecksum } from '../testing/ascii-frames.ts';
import { toledoCodec } from './toledo.ts';

const frame = (text: string): number[] => [...Buffer.from(text, 'latin1')];
const read = (...frames: (readonly number[])[]): unknown[] =>
  toledoCodec({ checksum: 'none' })
    .push(Uint8Array.from(frames.flat()))
    .map(({ read }) => read);

const weight = (massMg: number, stable = true): unknown => ({ ok: true, massMg, stable });

/**
 * Bits of the status words: Rockwell 57C428 user guide, appendix D; Wildcat E15609900A user's manual,
 * tables 6-9 to 6-11; U-Line (Ohaus) Defender 5000 manual, pp. 26-27, for the units of status C.
 */
describe('one frame', () => {
  test.each([
    // A: increments of one, point by bits 0 to 2.
    ['two zeros after', '\x02\x28\x30\x20000012000000\r', 1_200_000_000],
    ['a zero after', '\x02\x29\x30\x20000012000000\r', 120_000_000],
    ['no point', '\x02\x2A\x30\x20000012000000\r', 12_000_000],
    ['one decimal', '\x02\x2B\x30\x20000125000000\r', 12_500_000],
    ['two decimals', '\x02\x2C\x30\x20001250000000\r', 12_500_000],
    ['three decimals', '\x02\x2D\x30\x20012500000000\r', 12_500_000],
    ['four decimals', '\x02\x2E\x30\x20125000000000\r', 12_500_000],
    ['five decimals', '\x02\x2F\x30\x20012500000000\r', 125_000],
    ['blanks in front', '\x02\x2C\x30\x20  1250     0\r', 12_500_000],
    ['negative', '\x02\x2C\x32\x20001250000000\r', -12_500_000],
    ['minus zero', '\x02\x2C\x32\x20000000000000\r', 0],
    ['pounds', '\x02\x2A\x20\x20000200000000\r', 90_718_474],
    ['grams', '\x02\x2B\x20\x21000125000000\r', 12_500],
    ['tonnes', '\x02\x2D\x20\x22012345000000\r', 12_345_000_000],
    ['ounces', '\x02\x2B\x20\x23000160000000\r', 453_592],
    ['a print request', '\x02\x2C\x30\x28001250000000\r', 12_500_000],
    ['constant bits left out by a clone', '\x02\x04\x10\x00001250000000\r', 12_500_000],
    ['net with its tare: gross', '\x02\x2C\x31\x20001250000750\r', 20_000_000],
    ['negative net with its tare', '\x02\x2C\x33\x20000750000750\r', 0],
    ['gross with the tare of before', '\x02\x2C\x30\x20001250000750\r', 12_500_000],
  ])('%s', (_, text, massMg) => {
    expect(read(frame(text))).toEqual([weight(massMg)]);
  });

  test('motion is a weight that is not stable', () => {
    expect(read(frame('\x02\x2C\x38\x20001250000000\r'))).toEqual([weight(12_500_000, false)]);
  });

  test.each([
    ['overload', '\x02\x2C\x34\x20999999000000\r', 'overload', 'overload'],
    ['overload with bars', '\x02\x2C\x34\x20^^^^^^000000\r', 'overload', 'overload'],
    ['underload', '\x02\x2C\x36\x20000020000000\r', 'underload', 'underload'],
    ['not zeroed', '\x02\x2C\x70\x20001250000000\r', 'config-error', 'power-up'],
    ['an expanded display', '\x02\x2C\x30\x30001250000000\r', 'config-error', 'tenfold'],
    ['a unit that is none', '\x02\x2C\x30\x24001250000000\r', 'config-error', 'unit'],
    ['net without its tare', '\x02\x2C\x31\x20001250      \r', 'config-error', 'tare'],
  ])('%s', (_, text, quality, why) => {
    const [answer] = read(frame(text));
    expect(answer).toMatchObject({ ok: false, quality });
    expect(answer).toHaveProperty('why', expect.stringContaining(why));
  });

  test.each([
    ['a letter among the digits', '\x02\x2C\x30\x2000A250000000\r'],
    ['a blank among the digits', '\x02\x2C\x30\x200 1250000000\r'],
    ['no digits', '\x02\x2C\x30\x20      000000\r'],
    ['a digit too few', '\x02\x2C\x30\x2000125000000\r'],
    ['a digit too many', '\x02\x2C\x30\x200001250000000\r'],
    ['no CR', '\x02\x2C\x30\x20001250000000\n'],
  ])('%s is none, and the next one is read', (_, text) => {
    const next = toledoBytes(1_000);
    expect(read(frame(text), next)).toEqual([weight(1_000_000)]);
  });

  test('bit 7 means nothing', () => {
    const parity = toledoBytes(12_345).map((byte) => byte | 0x80);
    expect(read(parity)).toEqual([weight(12_345_000)]);
  });
});

describe('the checksum', () => {
  // Cardinal 225 manual, p. 118: 8530 with and without checksum; sum of all and CHK is 0 in 7 bits.
  const known = [...frame('\x02\x2C\x30\x20001250000000\r'), 0x2d];

  test('is the two’s complement of the sum of the lower seven bits', () => {
    expect([...withChecksum(known.slice(0, -1))]).toEqual(known);
    expect(toledoCodec({ checksum: 'required' }).push(Uint8Array.from(known))).toHaveLength(1);
  });

  test('finds every single byte that changed, in a stream too', () => {
    const intact = [...withChecksum(toledoBytes(12_345, { b: 1 }))];
    for (const [at, right] of intact.entries()) {
      for (let byte = 0; byte < 128; byte += 1) {
        const changed = intact.with(at, byte);
        const stream = Uint8Array.from([...intact, ...changed, ...intact]);
        const reads = toledoCodec({ checksum: 'required' }).push(stream);
        expect(reads.every(({ read }) => read.ok && read.massMg === 12_345_000)).toBe(true);
        expect(reads).toHaveLength(byte === right ? 3 : 2);
      }
    }
  });

  test.each([12_345, 0, -77, 99_999, 54_321, 12, 13, 14, 15, 16, 17, 18, 19])(
    'is found out from the first frames, %d g with and without',
    (grams) => {
      const plain = toledoBytes(grams);
      const summed = [...withChecksum(plain)];
      for (const [each, least] of [
        [plain, 4],
        [[...plain, 0x0a], 4],
        [summed, 4],
      ] as const) {
        const codec = toledoCodec({ checksum: 'auto' });
        const stream = Array.from({ length: 10 }, () => each).flat();
        const reads = codec.push(Uint8Array.from(stream));
        expect(reads.length).toBeGreaterThanOrEqual(least);
        expect(reads.every(({ read }) => read.ok && read.massMg === grams * 1_000)).toBe(true);
      }
      const codec = toledoCodec({ checksum: 'auto' });
      codec.push(Uint8Array.from(Array.from({ length: 5 }, () => summed).flat()));
      const broken = summed.with(8, (summed[8] ?? 0) ^ 1);
      expect(codec.push(Uint8Array.from(broken))).toEqual([]);
    },
  );

  test('that is required and missing leaves nothing to read', () => {
    const stream = Array.from({ length: 20 }, () => toledoBytes(12_345)).flat();
    expect(toledoCodec({ checksum: 'required' }).push(Uint8Array.from(stream))).toEqual([]);
  });
});
