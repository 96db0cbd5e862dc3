import type { Benchmark } from '../../bench/benchmark.ts';
import { FORMATS } from '../src/testing/ascii-frames.ts';
import { fuzz } from '../src/testing/codec-fuzz.ts';

export const bench = {
  name: 'codec-fuzz',
  describe: 'random, broken and changed frames for every ASCII protocol of the agent',
  options: {
    frames: { default: 1_000_000, small: 2_000, describe: 'frames for each format' },
    seed: { default: 1, small: 1, describe: 'of the random numbers' },
    format: { default: 0, small: 0, describe: '1 to 9 for one format alone, 0 for all' },
  },
  figures: {
    frames_per_s: 'frames that were made and judged',
    slowest_s: 'the format that took longest',
    crashes_count: 'frames that made a codec throw',
    wrong_count: 'weights that were taken and must not have been',
    passed_percent:
      'frames without checksum, one byte changed, that pass for a scale at rest; by at most 10 d',
  },
  run({ frames, seed, format }) {
    let [crashes, wrong, changed, passed, slowestS, seconds] = [0, 0, 0, 0, 0, 0];
    const formats = FORMATS.filter((_, index) => format === 0 || index + 1 === format);
    for (const each of formats) {
      const started = performance.now();
      const result = fuzz(each, { frames, seed });
      const tookS = (performance.now() - started) / 1_000;
      slowestS = Math.max(slowestS, tookS);
      seconds += tookS;
      crashes += result.crashes;
      wrong += result.wrong;
      if (!each.hasChecksum) [changed, passed] = [changed + result.changed, passed + result.passed];
    }
    return Promise.resolve({
      frames_per_s: Math.round((frames * formats.length) / seconds),
      slowest_s: slowestS,
      crashes_count: crashes,
      wrong_count: wrong,
      passed_percent: changed === 0 ? 0 : (100 * passed) / changed,
    });
  },
} satisfies Benchmark<'frames' | 'seed' | 'format'>;
