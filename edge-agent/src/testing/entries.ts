import { binId } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';
import type { Entry } from '../outbox/entry.ts';

export const T0 = 1_760_000_000_000;

/** The n-th of a series of readings of one bin, a second apart. */
export function reading(n: number, bin = 'a1'): Reading {
  return {
    bin: binId(bin),
    at: T0 + n * 1_000,
    value: 5_000 + n,
    unit: 'mg',
    samples: 5,
    spread: 3,
    quality: 'good',
    synced: true,
  };
}

export function entry(n: number, bin = 'a1'): Entry {
  const taken = reading(n, bin);
  return { reading: taken, gap: null, accountedTo: taken.at, unconfirmed: false, clock: null };
}

export const entries = (first: number, last: number): Entry[] =>
  Array.from({ length: last - first + 1 }, (_, place) => entry(first + place));
