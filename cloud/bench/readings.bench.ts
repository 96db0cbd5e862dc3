import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binId } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';
import { SECOND_MS } from '#shared/units.ts';
import type { Benchmark } from '../../bench/benchmark.ts';
import { openSqliteReadings } from '../src/readings/sqlite.ts';

const FROM = Date.UTC(2026, 0, 1);

export const bench = {
  name: 'readings',
  describe: 'readings appended to SQLite durably, one thread, then read bin by bin',
  options: {
    readings: { default: 1_000_000, small: 20_000, describe: 'readings to append' },
    batch: { default: 5_000, small: 5_000, describe: 'readings of one append' },
    bins: { default: 50, small: 50, describe: 'bins that each append is spread over' },
  },
  figures: {
    append_per_s: 'readings appended per second, each append on the disk before the next',
    append_cpu_ns: 'CPU time of one reading appended',
    repeat_per_s: 'readings per second of the same appended again, all duplicates',
    read_per_s: 'readings read per second',
    reading_bytes: 'size of the file, per reading',
  },
  run: async ({ readings, batch, bins }) => {
    const folder = await mkdtemp(join(tmpdir(), 'offtake-bench-'));
    const file = join(folder, 'readings.sqlite');
    const store = openSqliteReadings(file);
    const batches = Array.from({ length: Math.ceil(readings / batch) }, (_, index) =>
      batchOf(index * batch, Math.min(batch, readings - index * batch), bins),
    );
    const appendAll = async (): Promise<number> => {
      const start = performance.now();
      for (const list of batches) await store.append(list);
      return performance.now() - start;
    };
    const before = process.cpuUsage();
    const appendMs = await appendAll();
    const { user, system } = process.cpuUsage(before);
    const repeatMs = await appendAll();

    const start = performance.now();
    let read = 0;
    for (let bin = 0; bin < bins; bin += 1) {
      for await (const chunk of store.read(nameOf(bin), { from: 0, to: Infinity })) {
        read += chunk.length;
      }
    }
    const readMs = performance.now() - start;
    await store.close();
    const { size } = await stat(file);
    await rm(folder, { recursive: true });
    if (read !== readings) throw new Error(`read ${read} of ${readings} readings`);
    return {
      append_per_s: Math.round((readings / appendMs) * SECOND_MS),
      append_cpu_ns: Math.round(((user + system) * 1_000) / readings),
      repeat_per_s: Math.round((readings / repeatMs) * SECOND_MS),
      read_per_s: Math.round((read / readMs) * SECOND_MS),
      reading_bytes: Math.round(size / readings),
    };
  },
} as const satisfies Benchmark<
  'readings' | 'batch' | 'bins',
  'append_per_s' | 'append_cpu_ns' | 'repeat_per_s' | 'read_per_s' | 'reading_bytes'
>;

const nameOf = (bin: number) => binId(`bin-${bin}`);

/** Bins by turns, a second apart, as agents that sample side by side send them. */
function batchOf(from: number, size: number, bins: number): Reading[] {
  return Array.from({ length: size }, (_, index) => {
    const number = from + index;
    return {
      bin: nameOf(number % bins),
      at: FROM + Math.floor(number / bins) * SECOND_MS,
      value: 812_040 + (number % 977),
      unit: 'mg',
      samples: 10,
      spread: 310,
      quality: 'good',
      synced: true,
    };
  });
}
