import { SECOND_MS } from '#shared/units.ts';

/** Start, eight data, parity or second stop, stop. */
const BITS_PER_CHARACTER = 11;

/** Time that `bytes` characters take on a serial line. */
export function lineTimeMs(baud: number, bytes: number): number {
  return (bytes * BITS_PER_CHARACTER * SECOND_MS) / baud;
}
