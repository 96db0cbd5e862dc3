import type { Benchmark } from '../../bench/benchmark.ts';
import { FORMATS } from '../src/testing/ascii-frames.ts';
import { fuzz, type FuzzResult } from '../src/testing/codec-fuzz.ts';
import { FRAMINGS, fuzzModbus, MODBUS_SUBJECTS } from '../src/testing/modbus-fuzz.ts';

/** One codec, and what came of the frames it was given. */
interface Subject {
  readonly name: string;
  /** What tells that registers or digits were changed; `none` where only the text itself could. */
  readonly check: 'checksum' | 'crc' | 'network' | 'none';
  readonly fuzz: (options: { frames: number; seed: number }) => Promise<FuzzResult>;
}

const SUBJECTS: readonly Subject[] = [
  ...FORMATS.map((format): Subject => ({
    name: format.name,
    check: format.hasChecksum ? 'checksum' : 'none',
    fuzz: (options) => Promise.resolve(fuzz(format, options)),
  })),
  ...FRAMINGS.flatMap((framing) =>
    MODBUS_SUBJECTS.map((subject): Subject => ({
      name: `${subject.name} over ${framing}`,
      check: framing === 'tcp' ? 'network' : 'crc',
      fuzz: (options) => fuzzModbus(subject, { framing, ...options }),
    })),
  ),
];

export const bench = {
  name: 'codec-fuzz',
  describe: 'random, broken and changed frames for every codec, profile and sensor of the agent',
  options: {
    frames: { default: 1_000_000, small: 2_000, describe: 'frames for each codec' },
    seed: { default: 1, small: 1, describe: 'of the random numbers' },
    codec: { default: 0, small: 0, describe: `1 to ${SUBJECTS.length} for one alone, 0 for all` },
  },
  figures: {
    codecs_count: 'ASCII formats, and Modbus profiles and sensors over TCP and over RTU',
    frames_per_s: 'frames that were made and judged',
    slowest_s: 'the codec that took longest',
    crashes_count: 'frames that made a codec throw',
    wrong_count: 'weights that were taken from broken frames and must not have been',
    passed_percent:
      'ASCII without checksum, one byte changed, that passes for a scale at rest; by at most 10 d',
    crc_passed_percent: 'RTU, other registers under a random CRC-16; one in 65,536 is 0.0015',
  },
  async run({ frames, seed, codec }) {
    let [crashes, wrong, slowestS, seconds] = [0, 0, 0, 0];
    const changed = { checksum: 0, crc: 0, network: 0, none: 0 };
    const passed = { ...changed };
    const subjects = SUBJECTS.filter((_, index) => codec === 0 || index + 1 === codec);
    for (const { name, check, fuzz: feed } of subjects) {
      const started = performance.now();
      const result = await feed({ frames, seed });
      const tookS = (performance.now() - started) / 1_000;
      slowestS = Math.max(slowestS, tookS);
      seconds += tookS;
      crashes += result.crashes;
      wrong += result.wrong;
      if (result.firstWrong !== null) console.error(`${name}: ${result.firstWrong}`);
      changed[check] += result.changed;
      passed[check] += result.passed;
    }
    return {
      codecs_count: subjects.length,
      frames_per_s: Math.round((frames * subjects.length) / seconds),
      slowest_s: slowestS,
      crashes_count: crashes,
      wrong_count: wrong,
      passed_percent: (100 * passed.none) / Math.max(1, changed.none),
      crc_passed_percent: (100 * passed.crc) / Math.max(1, changed.crc),
    };
  },
} satisfies Benchmark<'frames' | 'seed' | 'codec'>;
