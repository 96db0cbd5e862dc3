import { describe, expect, test } from 'vitest';
import { FRAMINGS, fuzzModbus, MODBUS_SUBJECTS } from '../testing/modbus-fuzz.ts';
import { BrokenFrame, crc16 } from './modbus-frame.ts';
import { tcpAnswer } from './tcp-line.ts';

/** A million of each, with the same outcome: npm run bench -- codec-fuzz. */
const FRAMES = 4_000;
const SEED = 1;

test('checksums are those of another implementation', () => {
  // pymodbus.utilities.computeCRC, low byte first.
  expect(crc16(Buffer.from('010306000000050001', 'hex'))).toBe(0xb4f0);
  expect(crc16(Buffer.from('010306000000060001', 'hex'))).toBe(0xb400);
});

describe.each(FRAMINGS)('%s', (framing) => {
  test.each(MODBUS_SUBJECTS)('no broken frame is read as a weight: $name', async (subject) => {
    const result = await fuzzModbus(subject, { framing, frames: FRAMES, seed: SEED });
    expect(result).toMatchObject({ crashes: 0, firstWrong: null, wrong: 0 });
  });
});

/** Transaction 5, unit 3, one register. */
const frame = (register: number): Buffer =>
  Buffer.from([0, 5, 0, 0, 0, 5, 3, 3, 2, register >> 8, register & 0xff]);

describe('an answer over TCP', () => {
  test('is found among late answers, however often it came', () => {
    const late = Buffer.from(frame(7));
    late.writeUInt16BE(4, 0);
    const came = Buffer.concat([late, frame(8), frame(8)]);
    expect(tcpAnswer(5, came)).toEqual({ answer: frame(8).subarray(6), rest: Buffer.alloc(0) });
  });

  test.each([
    ['a byte too many is in it', Buffer.from([0, 5, 0, 0, 0, 5, 3, 3, 2, 2, 0, 8])],
    [
      'a byte was lost, and another frame follows',
      Buffer.concat([frame(8).subarray(0, 9), frame(8).subarray(10), frame(9)]),
    ],
    ['two say different things', Buffer.concat([frame(8), frame(9)])],
    ['noise follows', Buffer.concat([frame(8), Buffer.from('noise')])],
  ])('is not believed where %s', (_, came) => {
    expect(() => tcpAnswer(5, came)).toThrow(BrokenFrame);
  });
});
