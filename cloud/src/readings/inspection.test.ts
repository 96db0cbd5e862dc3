import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { startInspection, type Inspection } from './inspection.ts';
import { openSqliteReadings } from './sqlite.ts';
import type { ReadingsStore } from './store.ts';

const BINS = ['a1', 'b1'].map(binId);
const PAGE_BYTES = 4_096;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offtake-inspection-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function fill(file: string): Promise<void> {
  const store = openSqliteReadings(file);
  for (const bin of BINS) {
    await store.append(
      Array.from({ length: 5_000 }, (_, n) => ({
        bin,
        at: 1 + n,
        value: n,
        unit: 'mg' as const,
        samples: 1,
        spread: 0,
        quality: 'good' as const,
        synced: true,
      })),
    );
  }
  await store.close();
}

function inspect(readings: Pick<ReadingsStore, 'read'>): Inspection {
  const inspection = startInspection({
    readings,
    bins: () => Promise.resolve(BINS),
    log: createLog('test', 'silent'),
    pauses: { betweenChunksMs: 0, betweenRoundsMs: 1 },
  });
  onTestFinished(() => inspection.close());
  return inspection;
}

function opened(file: string): ReadingsStore {
  const store = openSqliteReadings(file);
  onTestFinished(() => store.close());
  return store;
}

test('a sound store is read to its end again and again, and no fault is found', async () => {
  const file = join(folder, 'readings.sqlite');
  await fill(file);
  const inspection = inspect(opened(file));
  await vi.waitFor(() => expect(inspection.rounds()).toBeGreaterThan(2), WAIT);
  expect(inspection.fault()).toBeNull();
});

test('a damaged page in the middle of the file is found, and what to do is said', async () => {
  const file = join(folder, 'readings.sqlite');
  await fill(file);
  const handle = await open(file, 'r+');
  const { size } = await handle.stat();
  const page = Math.floor(size / PAGE_BYTES / 2) * PAGE_BYTES;
  await handle.write(Buffer.alloc(PAGE_BYTES, 0xa5), 0, PAGE_BYTES, page);
  await handle.close();
  const inspection = inspect(opened(file));
  await vi.waitFor(() => expect(inspection.fault()).toContain('restore it from a backup'), WAIT);
});

test('a fault that passes by itself is none of the store', async () => {
  let asked = 0;
  const inspection = startInspection({
    readings: opened(join(folder, 'readings.sqlite')),
    bins: () => {
      asked += 1;
      return asked === 1 ? Promise.reject(new Error('busy')) : Promise.resolve(BINS);
    },
    log: createLog('test', 'silent'),
    pauses: { betweenChunksMs: 0, betweenRoundsMs: 1 },
  });
  onTestFinished(() => inspection.close());
  await vi.waitFor(() => expect(inspection.rounds()).toBeGreaterThan(0), WAIT);
  expect(inspection.fault()).toBeNull();
});
