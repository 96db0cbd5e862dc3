import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { silence } from '../scale/line.ts';
import { asciiGuess, type AsciiGuess } from './core/ascii-guess.ts';
import { asciiRequests, type AsciiRequest } from './core/ascii-requests.ts';
import { inEightBits, type EighthBit } from './core/eighth-bit.ts';

/** A scale that was understood, and what agent.yaml has to say of how it is asked. */
export interface FoundAscii {
  readonly guess: AsciiGuess;
  readonly keys: readonly string[];
}

/** Fewer frames may be noise; answers to two requests are none. */
const FEWEST_FRAMES = 3;
const FEWEST_ANSWERS = 2;

/** A scale of which something was understood is listened to for so many times longer. */
const LONGER = 4;

/** An answer to an empty line is short. */
const SHORT_MS = 20;

/** A scale that sends by itself. Nothing is sent to it. */
export async function listenForAscii(line: Duplex, listenMs: number): Promise<FoundAscii | null> {
  const heard = hear(line);
  try {
    await sleep(listenMs);
    if (asciiGuess(heard.bytes(), 1) !== null) await sleep(LONGER * listenMs);
    const guess = asciiGuess(heard.bytes(), FEWEST_FRAMES);
    const mode =
      guess?.protocol === 'toledo' || guess?.protocol === 'mt-sics' ? [] : ['mode: continuous'];
    return guess === null ? null : { guess, keys: mode };
  } finally {
    heard.stop();
  }
}

/**
 * A scale that speaks when it is asked: for one weight, which changes nothing on any of them.
 * @param options.uses of the eighth bit; several where the line may have seven bits and a parity
 */
export async function askForAscii(
  line: Duplex,
  options: {
    readonly timeoutMs: number;
    /** CAS's numbers. */
    readonly devices: readonly number[];
    readonly uses: readonly EighthBit[];
  },
): Promise<FoundAscii | null> {
  for (const request of asciiRequests(options.devices, options.uses)) {
    const found = await ask(line, request, options.timeoutMs);
    if (found !== null) return found;
  }
  return null;
}

async function ask(
  line: Duplex,
  { text, use, of }: AsciiRequest,
  timeoutMs: number,
): Promise<FoundAscii | null> {
  const heard = hear(line);
  try {
    // What was asked before in another language may stand at the beginning of its line.
    line.write(inEightBits('\r\n', use));
    await silence(line, { quietMs: SHORT_MS, longestMs: timeoutMs });
    for (let asked = 0; asked < FEWEST_ANSWERS; asked += 1) {
      const before = heard.bytes().length;
      line.write(inEightBits(text, use));
      await sleep(timeoutMs);
      if (heard.bytes().length === before) return null;
    }
    const guess = asciiGuess(heard.bytes(), FEWEST_ANSWERS);
    const keys = guess === null ? undefined : of[guess.protocol];
    if (guess === null || keys === undefined) return null;
    // Some do not look at the parity of what they are asked.
    return { guess: use === 'data' ? guess : { ...guess, eighthBit: use }, keys };
  } finally {
    heard.stop();
  }
}

function hear(line: Duplex): { readonly bytes: () => Buffer; readonly stop: () => void } {
  const pieces: Uint8Array[] = [];
  const add = (bytes: Uint8Array): void => void pieces.push(bytes);
  line.on('data', add);
  return { bytes: () => Buffer.concat(pieces), stop: () => line.off('data', add) };
}
