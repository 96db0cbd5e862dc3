import { aAndDCodec } from '../scale/a-and-d.ts';
import { casCodec } from '../scale/cas.ts';
import type { Codec } from '../scale/frame.ts';
import { lineCodec } from '../scale/line-codec.ts';
import { decodeAnswer } from '../scale/mt-sics-codec.ts';
import { ohausCodec } from '../scale/ohaus.ts';
import { sbiCodec } from '../scale/sbi.ts';
import { toledoCodec } from '../scale/toledo.ts';

const STX = 0x02;
const CR = 0x0d;
const SEVEN_BITS = 0x7f;

/** One format of an ASCII protocol, written once more and the other way round. */
export interface Format {
  readonly name: string;
  codec(): Codec;
  /** A stable gross weight of so many grams, from -9,999 to 99,999. */
  encode(grams: number): Uint8Array;
  readonly hasChecksum: boolean;
  /** Whether there are scales that send it only when asked. */
  readonly canBeAsked: boolean;
  /** Places where clones may have any byte, so that none is refused for it. */
  readonly anything: readonly number[];
  /** Bytes that its frames are made of. */
  readonly alphabet: Uint8Array;
}

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const kg = (grams: number): string => (Math.abs(grams) / 1_000).toFixed(3);
const signOf = (grams: number): string => (grams < 0 ? '-' : '+');

/** Adds the byte that makes the sum of all zero in seven bits. */
export function withChecksum(bytes: readonly number[]): Uint8Array {
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  return Uint8Array.from([...bytes, -sum & SEVEN_BITS]);
}

/** Continuous output of Toledo: kilograms with three decimals, gross, at rest. */
export function toledoBytes(grams: number, { b = 0, c = 0 }: { b?: number; c?: number } = {}) {
  const status = [0x20 | 0x08 | 5, 0x20 | 0x10 | (grams < 0 ? 0x02 : 0) | b, 0x20 | c];
  const digits = String(Math.abs(grams)).padStart(6, '0') + '000000';
  return [STX, ...status, ...latin1(digits), CR];
}

function format(
  name: string,
  codec: () => Codec,
  encode: (grams: number) => Uint8Array,
  { hasChecksum = false, anything = [] }: Partial<Pick<Format, 'hasChecksum' | 'anything'>> = {},
): Format {
  const samples = [0, 12_345, 67_890, -9].flatMap((grams) => [...encode(grams)]);
  return {
    name,
    codec,
    encode,
    hasChecksum,
    canBeAsked: !name.startsWith('toledo'),
    anything,
    alphabet: Uint8Array.from(new Set(samples)),
  };
}

export const FORMATS: readonly Format[] = [
  format(
    'toledo with checksum',
    () => toledoCodec({ checksum: 'required' }),
    (grams) => withChecksum(toledoBytes(grams)),
    { hasChecksum: true },
  ),
  format(
    'toledo without checksum',
    () => toledoCodec({ checksum: 'none' }),
    (grams) => Uint8Array.from(toledoBytes(grams)),
    { anything: [1, 2, 3] },
  ),
  format(
    'a-and-d balance',
    () => aAndDCodec({ tare: 'locked' }),
    (grams) => latin1(`ST,${signOf(grams)}${kg(grams).padStart(8, '0')} kg\r\n`),
  ),
  format(
    'a-and-d indicator',
    () => aAndDCodec({ tare: 'marked' }),
    (grams) => latin1(`ST,GS,${signOf(grams)}${kg(grams).padStart(7, '0')}kg\r\n`),
  ),
  format(
    'cas',
    () => casCodec({}),
    (grams) => latin1(`ST,GS,1\u00C4,${((grams < 0 ? '-' : '') + kg(grams)).padStart(8)} kg\r\n`),
    { anything: [6, 7] },
  ),
  format(
    'ohaus',
    () => ohausCodec({ tare: 'marked' }),
    (grams) => latin1(`${grams < 0 ? '-' : ' '} ${kg(grams).padStart(7)} kg    G  \r\n`),
  ),
  format(
    'sbi of 16',
    () => sbiCodec({ tare: 'locked' }),
    (grams) => latin1(`${signOf(grams)} ${kg(grams).padStart(8)} kg \r\n`),
  ),
  format(
    'sbi of 22',
    () => sbiCodec({ tare: 'marked' }),
    (grams) => latin1(`G     ${signOf(grams)} ${kg(grams).padStart(8)} kg \r\n`),
  ),
  format(
    'mt-sics',
    () =>
      lineCodec(
        (line) => {
          const answer = decodeAnswer(line);
          return answer?.kind === 'weight' ? answer.frame : null;
        },
        { bits: 7 },
      ),
    (grams) => latin1(`S S ${((grams < 0 ? '-' : '') + kg(grams)).padStart(10)} kg\r\n`),
  ),
];
