import { seededRandom } from '#shared/testing/random.ts';
import type { ScaleRead } from '../core/scale-read.ts';
import { agrees, type Codec, type Frame } from '../scale/frame.ts';
import type { Format } from './ascii-frames.ts';

/** A gram is one division of the formats. */
const DIVISION_MG = 1_000;
/** By so much a changed frame may pass for one of a scale at rest. */
const MOTION_BAND_MG = 10 * DIVISION_MG;

export interface FuzzResult {
  readonly crashes: number;
  /** Weights that were taken and must not have been. */
  readonly wrong: number;
  /** The first of them, to be repeated. */
  readonly firstWrong: string | null;
  /** Frames with one byte changed, and how many of them passed with another weight. */
  readonly changed: number;
  readonly passed: number;
}

type Chance = () => number;
const below = (chance: Chance, limit: number): number => Math.floor(chance() * limit);

const noise = (chance: Chance, length: number, alphabet: Uint8Array | null): Uint8Array =>
  Uint8Array.from(
    { length },
    () => alphabet?.[below(chance, alphabet.length)] ?? below(chance, 256),
  );

const spliced = (bytes: Uint8Array, at: number, gone: number, instead: Uint8Array): Uint8Array =>
  Buffer.concat([bytes.subarray(0, at), instead, bytes.subarray(at + gone)]);

/** Bad frames between those of one weight. */
const ROUND = 16;

type Spoil = (format: Format, frame: Uint8Array, chance: Chance) => Uint8Array;

/** Lost, added and doubled bytes, halves, and bytes that no frame of the format has. */
const broken: Spoil = (format, frame, chance) => {
  const at = below(chance, frame.length);
  const few = 1 + below(chance, 3);
  switch (below(chance, 6)) {
    case 0:
      return spliced(frame, at, few, new Uint8Array());
    case 1:
      return spliced(frame, at, 0, noise(chance, few, format.alphabet));
    case 2:
      return spliced(frame, at, 0, frame.subarray(at, at + 1));
    case 3:
      return frame.subarray(0, at);
    case 4:
      return frame.subarray(at);
    default:
      return format.anything.includes(at)
        ? frame
        : spliced(frame, at, 1, Uint8Array.of(foreign(format, chance)));
  }
};

/** A byte that has no place in any frame of the format. */
function foreign(format: Format, chance: Chance): number {
  for (;;) {
    const byte = 0x21 + below(chance, 0x5e);
    const char = String.fromCharCode(byte);
    if (!format.alphabet.includes(byte) && !/[\d+.,A-Za-z%?-]/.test(char)) return byte;
  }
}

const changed: Spoil = (_, frame, chance) => {
  const at = below(chance, frame.length);
  const other = ((frame[at] ?? 0) + 1 + below(chance, 127)) & 0x7f;
  return spliced(frame, at, 1, Uint8Array.of(other | ((frame[at] ?? 0) & 0x80)));
};

const random: Spoil = (format, _, chance) =>
  noise(chance, 1 + below(chance, 40), below(chance, 2) === 0 ? format.alphabet : null);

const BAD = { random, broken, changed } as const;
const KINDS = ['random', 'broken', 'broken', 'changed'] as const;

/** Feeds it whole or in two parts. */
function fed(codec: Codec, bytes: Uint8Array, chance: Chance): Frame[] {
  if (below(chance, 8) > 0) return codec.push(bytes);
  const at = below(chance, bytes.length + 1);
  return [...codec.push(bytes.subarray(0, at)), ...codec.push(bytes.subarray(at))];
}

/** The frames that the one before confirms, as a driver takes them. */
function taken(frames: readonly Frame[], options: { readonly divisionMg: number }): Frame[] {
  return frames.filter((now, index) => {
    const before = frames[index - 1];
    return before !== undefined && agrees(before, now, options);
  });
}

/**
 * Between frames of a scale at rest come some that are random, broken, or changed by one byte.
 * - Random and broken: whatever is taken as a weight is exactly what rests on the scale, even where
 *   frames are not compared by weight.
 * - Changed, with a checksum: likewise, without any comparison of frames.
 * - Changed, without one: a frame that is taken as a stable weight is off by no more than the motion
 *   band. That much no format without a checksum can tell. Nor can Toledo's without
 *   checksum when it is broken: its status bytes may be anything, so added bytes can pass for them.
 */
export function fuzz(
  format: Format,
  { frames, seed }: { frames: number; seed: number },
): FuzzResult {
  const chance = seededRandom(seed);
  const result = { crashes: 0, wrong: 0, firstWrong: null as string | null, changed: 0, passed: 0 };
  let codec = format.codec();
  for (let count = 0; count < frames; count += ROUND) {
    const round = Math.min(ROUND, frames - count);
    const grams = below(chance, 110_000) - 9_999;
    const intact = format.encode(grams);
    const kind = KINDS[below(chance, KINDS.length)] ?? 'random';
    const bad = Array.from({ length: round }, () => BAD[kind](format, intact, chance));
    // What has no end takes the next frame with it.
    const after = kind === 'changed' ? [intact] : [intact, intact];
    const stream = Buffer.concat([intact, intact, ...bad.flatMap((frame) => [frame, ...after])]);
    const isExact = format.hasChecksum || (kind !== 'changed' && format.canBeAsked);
    let reads: ScaleRead[];
    try {
      const all = fed(codec, stream, chance);
      const alone = kind === 'changed' && format.hasChecksum;
      reads = (alone ? all : taken(all, { divisionMg: isExact ? Infinity : DIVISION_MG })).map(
        ({ read }) => read,
      );
    } catch {
      result.crashes += 1;
      codec = format.codec();
      continue;
    }
    const off = reads.flatMap((read) =>
      read.ok && (isExact || read.stable) ? [Math.abs(read.massMg - grams * DIVISION_MG)] : [],
    );
    const wrong = off.filter((by) => by > (isExact ? 0 : MOTION_BAND_MG)).length;
    if (kind === 'changed') {
      result.changed += round;
      result.passed += off.filter((by) => by > 0).length;
    }
    if (wrong > 0) {
      result.wrong += wrong;
      result.firstWrong ??= `seed ${seed}, ${kind}: ${JSON.stringify(stream.toString('latin1'))}`;
    }
    codec.clear();
  }
  return result;
}
