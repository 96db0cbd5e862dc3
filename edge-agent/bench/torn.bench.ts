import type { Benchmark } from '../../bench/benchmark.ts';
import { cutAt, differenceOf, flippedAt, foundIn, shapes } from '../src/testing/torn-store.ts';

type Option = 'bytes' | 'flips';
type Figure =
  | 'cuts_count'
  | 'lost_count'
  | 'flips_count'
  | 'wrong_count'
  | 'unaccounted_count'
  | 'crash_loops_count';

export const bench: Benchmark<Option, Figure> = {
  name: 'torn',
  describe: 'outboxes of every shape cut at each of their last bytes, and with a bit flipped',
  options: {
    bytes: { default: 8_300, small: 20, describe: 'last bytes at each of which a write is cut' },
    flips: { default: 53, small: 5_003, describe: 'a bit is flipped in every so manieth byte' },
  },
  figures: {
    cuts_count: 'stores that a power cut tore, over five shapes of the journal',
    lost_count: 'committed readings and gap records that were missing after a cut; must be 0',
    flips_count: 'stores with a flipped bit',
    wrong_count: 'readings that nobody wrote so, or that came twice, given as good; must be 0',
    unaccounted_count: 'readings lost by a flip that no gap record speaks of; must be 0',
    crash_loops_count: 'stores that no start could open; must be 0',
  },
  run({ bytes, flips }) {
    const figures: Record<Figure, number> = {
      cuts_count: 0,
      lost_count: 0,
      flips_count: 0,
      wrong_count: 0,
      unaccounted_count: 0,
      crash_loops_count: 0,
    };
    for (const shape of shapes()) {
      const newest = shape.durable.at(-1) ?? { from: 0, to: 0, gaps: 0 };
      const cut = Math.min(bytes, (shape.before ? shape.database : shape.journal).length);
      for (let left = 0; left <= cut; left += 1) {
        const { image, committed } = cutAt(shape, left);
        const found = foundIn(image);
        const { lost, wrong } = differenceOf(found, committed);
        figures.cuts_count += 1;
        figures.lost_count += lost;
        figures.wrong_count += wrong;
        figures.crash_loops_count += found.isCrashLoop ? 1 : 0;
      }
      const size = shape.database.length + shape.journal.length;
      for (let place = 0; place < size; place += flips) {
        const found = foundIn(flippedAt(shape, place));
        const { wrong, unaccounted } = differenceOf(found, newest);
        figures.flips_count += 1;
        figures.wrong_count += wrong;
        figures.unaccounted_count += unaccounted;
        figures.crash_loops_count += found.isCrashLoop ? 1 : 0;
      }
    }
    return Promise.resolve(figures);
  },
};
