import type { FaultKind, FaultRule, Framing } from '../core/faults.ts';
import type { Stream } from '../core/random.ts';
import { crc16 } from '../modbus/crc.ts';

const MBAP_UNIT = 6;
const MBAP_LENGTH = 4;
const CRC_BYTES = 2;
const EXCEPTION_BIT = 0x80;
const HIGHEST_UNIT = 247;
/** Bytes of noise at most. */
const MAX_GARBAGE = 12;

/**
 * The bytes of an answer as they arrive damaged.
 * @param answer one whole frame or line, left as it is
 * @returns `null` where this kind cannot befall this answer
 */
export function damaged(
  rule: FaultRule,
  framing: Framing,
  answer: Buffer,
  random: Stream,
): Buffer | null {
  const damage = DAMAGE[rule.kind];
  return damage?.({ answer: Buffer.from(answer), framing, random, code: rule.code }) ?? null;
}

interface Victim {
  readonly answer: Buffer;
  readonly framing: Framing;
  readonly random: Stream;
  readonly code: number;
}

const DAMAGE: Partial<Record<FaultKind, (victim: Victim) => Buffer | null>> = {
  truncated: ({ answer, random }) => answer.subarray(0, random.integer(1, answer.length - 1)),
  'garbage-before': ({ answer, random }) => Buffer.concat([garbage(random), answer]),
  'garbage-after': ({ answer, random }) => Buffer.concat([answer, garbage(random)]),
  'flipped-bits': ({ answer, random }) => {
    for (let flips = random.integer(1, 3); flips > 0; flips -= 1) {
      const place = random.integer(0, answer.length - 1);
      answer.writeUInt8(answer.readUInt8(place) ^ (1 << random.integer(0, 7)), place);
    }
    return answer;
  },
  'wrong-crc': ({ answer, random }) => {
    const place = answer.length - CRC_BYTES;
    answer.writeUInt16LE(answer.readUInt16LE(place) ^ random.integer(1, 0xffff), place);
    return answer;
  },
  'wrong-transaction': ({ answer, random }) => {
    answer.writeUInt16BE((answer.readUInt16BE(0) + random.integer(1, 0xffff)) & 0xffff, 0);
    return answer;
  },
  'bad-length': ({ answer, random }) => {
    const length = answer.readUInt16BE(MBAP_LENGTH);
    const wrong = [0, length - 1, length + 1, length + 40, 0xffff];
    answer.writeUInt16BE(wrong[random.integer(0, wrong.length - 1)] ?? 0, MBAP_LENGTH);
    return answer;
  },
  'wrong-unit': ({ answer, framing, random }) => {
    const place = framing === 'mbap' ? MBAP_UNIT : 0;
    const unit = answer.readUInt8(place);
    answer.writeUInt8(((unit + random.integer(0, HIGHEST_UNIT - 2)) % HIGHEST_UNIT) + 1, place);
    return sealed(answer, framing);
  },
  'wrong-byte-count': ({ answer, framing, random }) => {
    const code = framing === 'mbap' ? MBAP_UNIT + 1 : 1;
    if ((answer.readUInt8(code) & EXCEPTION_BIT) !== 0) return null;
    const count = answer.readUInt8(code + 1);
    answer.writeUInt8((count + 2 * random.integer(1, 100)) & 0xff, code + 1);
    return sealed(answer, framing);
  },
  exception: ({ answer, framing, code }) => {
    if (framing === 'mbap') {
      const frame = Buffer.concat([answer.subarray(0, MBAP_UNIT + 2), Buffer.from([code])]);
      frame.writeUInt8(frame.readUInt8(MBAP_UNIT + 1) | EXCEPTION_BIT, MBAP_UNIT + 1);
      frame.writeUInt16BE(3, MBAP_LENGTH);
      return frame;
    }
    const frame = Buffer.from([
      answer.readUInt8(0),
      answer.readUInt8(1) | EXCEPTION_BIT,
      code,
      0,
      0,
    ]);
    return sealed(frame, framing);
  },
};

function garbage(random: Stream): Buffer {
  const bytes = Array.from({ length: random.integer(1, MAX_GARBAGE) }, () =>
    random.integer(0, 255),
  );
  return Buffer.from(bytes);
}

/** With the CRC of what it says now. */
function sealed(frame: Buffer, framing: Framing): Buffer {
  if (framing === 'rtu') {
    const end = frame.length - CRC_BYTES;
    frame.writeUInt16LE(crc16(frame.subarray(0, end)), end);
  }
  return frame;
}
