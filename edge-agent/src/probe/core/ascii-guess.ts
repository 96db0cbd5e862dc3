import { aAndDCodec } from '../../scale/a-and-d.ts';
import { casCodec } from '../../scale/cas.ts';
import type { Codec, Frame } from '../../scale/frame.ts';
import { mtSicsCodec } from '../../scale/mt-sics-codec.ts';
import { ohausCodec } from '../../scale/ohaus.ts';
import { sbiCodec } from '../../scale/sbi.ts';
import { toledoCodec } from '../../scale/toledo.ts';
import { weightRead } from '../../scale/weight.ts';
import { eighthBitOf, type EighthBit } from './eighth-bit.ts';

export type AsciiProtocol = 'mt-sics' | 'toledo' | 'a-and-d' | 'cas' | 'ohaus' | 'sbi';

/** What a scale was understood as. */
export interface AsciiGuess {
  readonly protocol: AsciiProtocol;
  readonly frames: number;
  /** The newest weight, mg; `null` where the scale shows none. */
  readonly massMg: number | null;
  /** Why it shows none. */
  readonly why: string | null;
  /** Mass of the last digit, mg; `null` where no weight was shown. */
  readonly digitMg: number | null;
  /** Whether its frames say that they are gross; else the agent takes them with `tare: locked` only. */
  readonly isMarked: boolean;
  readonly eighthBit: EighthBit;
}

/** MT-SICS, its weights alone: errors do not say whose they are. */
function mtSicsWeights(): Codec {
  const codec = mtSicsCodec();
  return {
    push: (bytes) => codec.push(bytes).flatMap((one) => (one.kind === 'weight' ? [one.frame] : [])),
    clear: () => codec.clear(),
  };
}

type Tare = 'marked' | 'locked';
const CODECS: Readonly<Record<AsciiProtocol, (tare: Tare) => Codec>> = {
  'mt-sics': mtSicsWeights,
  toledo: () => toledoCodec({ checksum: 'auto' }),
  'a-and-d': (tare) => aAndDCodec({ tare }),
  cas: () => casCodec({ device: undefined }),
  ohaus: (tare) => ohausCodec({ tare }),
  sbi: (tare) => sbiCodec({ tare }),
};
const PROTOCOLS = Object.keys(CODECS) as AsciiProtocol[];

/**
 * @param fewest fewer frames may be noise
 * @returns the protocol that makes the most of what was heard, or `null`
 */
export function asciiGuess(heard: Uint8Array, fewest: number): AsciiGuess | null {
  const guesses = PROTOCOLS.map((protocol) => {
    return { protocol, frames: CODECS[protocol]('locked').push(heard) };
  });
  const [best] = guesses.toSorted((a, b) => b.frames.length - a.frames.length);
  const newest = best?.frames.at(-1);
  if (best === undefined || newest === undefined || best.frames.length < fewest) return null;
  const { read } = newest;
  const marked = CODECS[best.protocol]('marked').push(heard).at(-1);
  return {
    protocol: best.protocol,
    frames: best.frames.length,
    massMg: read.ok ? read.massMg : null,
    why: read.ok ? null : read.why,
    digitMg: digitOf(newest),
    isMarked: !read.ok || marked?.read.ok === true,
    eighthBit: best.protocol === 'cas' ? 'data' : eighthBitOf(heard),
  };
}

function digitOf({ shape }: Frame): number | null {
  const [unit = '', decimals = ''] = shape.split(' ');
  const digits = decimals === '0' ? '1' : `0.${'1'.padStart(Number(decimals), '0')}`;
  const read = shape === '' ? null : weightRead({ negative: false, digits, unit, stable: true });
  return read?.ok === true ? Math.max(1, read.massMg) : null;
}
