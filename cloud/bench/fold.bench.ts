import type { Benchmark } from '../../bench/benchmark.ts';
import { foldReading, startFold, type FoldOutput } from '../src/consumption/core/fold.ts';
import { liveThrough, quietWorld, type BinHistory, type BinWorld } from '../test/bin-world.ts';
import { consumptionError } from '../test/gross-error.ts';

/** Pieces of the weights that scales in a shop floor carry, each on a scale that fits. */
const GOODS = [
  { pieceMassMg: 2_000, capacityMg: 6_000_000 },
  { pieceMassMg: 8_000, capacityMg: 15_000_000 },
  { pieceMassMg: 20_000, capacityMg: 30_000_000 },
  { pieceMassMg: 65_000, capacityMg: 60_000_000 },
  { pieceMassMg: 180_000, capacityMg: 150_000_000 },
  { pieceMassMg: 500_000, capacityMg: 600_000_000 },
];
/** Weight of a piece over the standard deviation of the difference of two settled readings. */
const CLARITIES = [4, 6, 10, 30, 100];
/** Samples of a settled reading on either side of a step. */
const SETTLED_SAMPLES = 5;

function worldOf(index: number, days: number): BinWorld {
  const goods = GOODS[index % GOODS.length] ?? GOODS[0];
  const clarity = CLARITIES[Math.floor(index / GOODS.length) % CLARITIES.length] ?? 10;
  const { pieceMassMg, capacityMg } = goods ?? { pieceMassMg: 2_000, capacityMg: 6_000_000 };
  return {
    ...quietWorld,
    seed: index + 1,
    days,
    pieceMassMg,
    capacityMg,
    pieceMassRatio: [1, 1.015, 0.985, 1.005][index % 4] ?? 1,
    noiseMg: (pieceMassMg / clarity) * Math.sqrt(SETTLED_SAMPLES / 2),
    driftMgPerSqrtHour: pieceMassMg * 0.03,
    dailyWaveMg: pieceMassMg * 0.5,
    leans: 3,
    spikes: 1,
    tools: 0.02,
    silences: 0.1,
    faults: 0.2,
  };
}

/** Enough bins of two weeks each for that many readings, one a minute and one upon each change. */
function* historiesOf(readings: number): Generator<BinHistory> {
  for (let index = 0, total = 0; total < readings; index += 1) {
    const days = Math.min(14, Math.ceil((readings - total) / 1_500));
    const history = liveThrough(worldOf(index, days));
    total += history.readings.length;
    yield history;
  }
}

export const bench = {
  name: 'fold',
  describe: 'readings of piece bins folded into movements, one thread, state in memory',
  options: {
    readings: { default: 2_000_000, small: 20_000, describe: 'readings to fold, at least' },
  },
  figures: {
    readings_per_s: 'readings folded per second',
    gross_error_percent: 'Σ |booked − true| consumption per bin and day over Σ true',
    net_error_percent: 'Σ booked − true consumption over Σ true',
    movements_count: 'movements booked',
    bins_count: 'bins',
  },
  run: (options) => {
    let bins = 0;
    let folded = 0;
    let movements = 0;
    let elapsedMs = 0;
    const error = { truth: 0, gross: 0, net: 0 };
    for (const { setup, readings, events } of historiesOf(options.readings)) {
      const state = startFold();
      const out: FoldOutput = { movements: [], rollups: [] };
      const setups = [setup];
      const start = performance.now();
      for (const reading of readings) foldReading(state, setups, reading, out);
      elapsedMs += performance.now() - start;
      bins += 1;
      folded += readings.length;
      movements += out.movements.length;
      const { truth, gross, net } = consumptionError(events, out.movements);
      error.truth += truth;
      error.gross += gross;
      error.net += net;
    }
    return Promise.resolve({
      readings_per_s: Math.round((folded / elapsedMs) * 1_000),
      gross_error_percent: percent(error.gross, error.truth),
      net_error_percent: percent(error.net, error.truth),
      movements_count: movements,
      bins_count: bins,
    });
  },
} as const satisfies Benchmark<
  'readings',
  'readings_per_s' | 'gross_error_percent' | 'net_error_percent' | 'movements_count' | 'bins_count'
>;

function percent(part: number, whole: number): number {
  return Math.round((part / whole) * 10_000) / 100;
}
