import { aAndDCodec } from '../../scale/a-and-d.ts';
import { casCodec } from '../../scale/cas.ts';
import type { Frame } from '../../scale/frame.ts';
import { ohausCodec } from '../../scale/ohaus.ts';
import { sbiCodec } from '../../scale/sbi.ts';
import { toledoCodec } from '../../scale/toledo.ts';

/** What a scale that sends by itself was understood as. */
export interface AsciiGuess {
  readonly protocol: 'toledo' | 'a-and-d' | 'cas' | 'ohaus' | 'sbi';
  readonly frames: number;
  /** The newest weight, mg; `null` where the scale shows none. */
  readonly massMg: number | null;
}

/** Fewer frames may be noise. */
const FEWEST_FRAMES = 3;

/** @returns the protocol that makes the most of what was heard, or `null` */
export function asciiGuess(heard: Uint8Array): AsciiGuess | null {
  const heardBy = {
    toledo: toledoCodec({ checksum: 'auto' }),
    'a-and-d': aAndDCodec({ tare: 'locked' }),
    cas: casCodec({ device: undefined }),
    ohaus: ohausCodec({ tare: 'locked' }),
    sbi: sbiCodec({ tare: 'locked' }),
  };
  const guesses = Object.entries(heardBy).map(([protocol, codec]) => {
    const frames = codec.push(heard);
    return {
      protocol: protocol as AsciiGuess['protocol'],
      frames: frames.length,
      massMg: massOf(frames),
    };
  });
  const [best] = guesses.toSorted((a, b) => b.frames - a.frames);
  return best !== undefined && best.frames >= FEWEST_FRAMES ? best : null;
}

function massOf(frames: readonly Frame[]): number | null {
  const read = frames.at(-1)?.read;
  return read?.ok === true ? read.massMg : null;
}
