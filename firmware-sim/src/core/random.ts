/**
 * Random numbers as a pure function of a key and an index, so that any value can be had without
 * those before it: a restarted simulator sees the same world and the same noise.
 *
 * A 32-bit counter-based generator: index and key pass twice through the finaliser `lowbias32`
 * (https://github.com/skeeto/hash-prospector, bias 0.17). Not for secrets. It repeats after 2³²
 * indices; of the noise at 10 conversions a second that is 13 years.
 */
function lowbias32(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

const GOLDEN = 0x9e3779b9;
const TWO_32 = 2 ** 32;

/** A key for one purpose, e.g. `keyOf(7, 'acme-north-a1', 'noise')`. */
export function keyOf(seed: number, ...names: readonly string[]): number {
  let key = lowbias32(seed ^ GOLDEN);
  for (const name of names) {
    for (let i = 0; i < name.length; i += 1) key = lowbias32(key ^ name.charCodeAt(i));
    key = lowbias32(key + GOLDEN);
  }
  return key;
}

/** @returns uniform in (0, 1), never 0 or 1 */
export function uniformAt(key: number, index: number): number {
  return (lowbias32(lowbias32((index + GOLDEN) | 0) ^ key) + 0.5) / TWO_32;
}

/** @returns standard normal (Box–Muller); its tails end at 6.7 */
export function normalAt(key: number, index: number): number {
  const radius = Math.sqrt(-2 * Math.log(uniformAt(key, 2 * index)));
  return radius * Math.cos(2 * Math.PI * uniformAt(key, 2 * index + 1));
}

/** Random numbers one after the other. */
export interface Stream {
  uniform(): number;
  normal(): number;
  /** Mean 1. */
  exponential(): number;
  /** Both ends inclusive. */
  integer(low: number, high: number): number;
}

export function streamOf(key: number): Stream {
  let index = 0;
  const uniform = (): number => uniformAt(key, index++);
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
    exponential: () => -Math.log(uniform()),
    integer: (low, high) => low + Math.floor(uniform() * (high - low + 1)),
  };
}
