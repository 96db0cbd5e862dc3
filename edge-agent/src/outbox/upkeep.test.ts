import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BinId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import { entry, reading, T0 } from '../testing/entries.ts';
import { freshFolder } from '../testing/folder.ts';
import type { Entry } from './entry.ts';
import { Outbox } from './outbox.ts';
import { Upkeep, type UpkeepOptions } from './upkeep.ts';

const MIB = 1_048_576;
const BINS = 20;

function setUp(options: Partial<UpkeepOptions> = {}, maxBytes = MIB) {
  const folder = freshFolder();
  const outbox = new Outbox(folder, { stamp: 'now' });
  onTestFinished(() => outbox.close());
  let now = 0;
  const upkeep = new Upkeep({
    outbox,
    quota: { maxBytes, maxAgeMs: 1e15, minFreeBytes: 0, ramBytes: MIB },
    log: createLog('agent', 'silent'),
    diskFreeBytes: () => 1e12,
    monotonicMs: () => now,
    trustedAt: () => null,
    ...options,
  });
  const pass = (ms: number): void => {
    now += ms;
  };
  return { folder, outbox, upkeep, pass };
}

/** Reads and receipts all, as the cloud does. */
function drained(outbox: Outbox): { readings: Reading[]; gaps: Gap[] } {
  outbox.seal(100_000, 500);
  const readings: Reading[] = [];
  const gaps: Gap[] = [];
  const { receipted, sealed } = outbox.progress;
  for (let seq = receipted + 1; seq <= sealed; seq += 1) {
    const batch = outbox.batch(seq);
    readings.push(...batch.readings);
    gaps.push(...batch.gaps);
    outbox.trim(seq);
  }
  return { readings, gaps };
}

/** The n-th second: each bin on a plateau that changes every 100 s, with a gap now and then. */
function second(n: number, bins = BINS): Entry[] {
  return Array.from({ length: bins }, (_, bin) => {
    const own = entry(n, `a${bin}`);
    const value = 1_000_000 - Math.floor((n + bin) / 100) * 500;
    return { ...own, reading: { ...own.reading, value } };
  });
}

const counted = ({ readings, gaps }: { readings: Reading[]; gaps: Gap[] }): number =>
  gaps.reduce((sum, { count }) => sum + count, readings.length);

function expectIncreasing(readings: readonly Reading[]): void {
  const newest = new Map<BinId, number>();
  for (const { bin, at } of readings) {
    expect(at).toBeGreaterThan(newest.get(bin) ?? 0);
    newest.set(bin, at);
  }
}

test('a full outbox is thinned, nothing is dropped, and no level and no newest reading is lost', () => {
  const { outbox, upkeep } = setUp();
  const seconds = 4_000;
  for (let n = 1; n <= seconds; n += 1) {
    outbox.append(second(n));
    if (n % 50 === 0) upkeep.tick();
  }
  expect(outbox.shrinking.usage().usedBytes).toBeLessThanOrEqual(MIB);
  const { thinned, dropped } = upkeep.state();
  expect(thinned).toBeGreaterThan(30_000);
  expect(dropped).toBe(0);
  const all = drained(outbox);
  expect(counted(all)).toBe(seconds * BINS);
  expectIncreasing(all.readings);
  expect(all.gaps.every(({ why, from, to }) => why === 'thinned' && from < to)).toBe(true);
  const levels = new Set(all.readings.filter(({ bin }) => bin === 'a0').map((r) => r.value));
  expect(levels.size).toBe(41);
  for (const { reading: last } of second(seconds)) expect(all.readings).toContainEqual(last);
});

test('where thinning does not help the oldest go, and one gap record a bin says how many', () => {
  const { outbox, upkeep } = setUp();
  const seconds = 5_000;
  // Every reading hours after the one before, and far from it: nothing is superfluous.
  for (let n = 1; n <= seconds; n += 1) {
    outbox.append(
      second(n).map((each) => {
        const at = T0 + n * 7_200_000;
        return { ...each, reading: { ...each.reading, at, value: (n % 7) * 1_000 } };
      }),
    );
    if (n % 50 === 0) upkeep.tick();
  }
  expect(outbox.shrinking.usage().usedBytes).toBeLessThanOrEqual(MIB * 1.05);
  expect(upkeep.state().dropped).toBeGreaterThan(0);
  const all = drained(outbox);
  expect(counted(all)).toBe(seconds * BINS);
  expectIncreasing(all.readings);
  const gaps = all.gaps.filter(({ why }) => why === 'dropped');
  expect(gaps.length).toBeLessThanOrEqual(2 * BINS);
});

test('a bin that has long been silent keeps its newest reading', () => {
  const { outbox, upkeep } = setUp();
  outbox.append([entry(0, 'silent')]);
  for (let n = 1; n <= 40_000; n += 500) {
    const rows = Array.from({ length: 500 }, (_, m) => entry((n + m) * 8_000, 'loud'));
    outbox.append(rows.map((row, m) => ({ ...row, reading: { ...row.reading, value: m * 999 } })));
    upkeep.tick();
  }
  expect(upkeep.state().dropped).toBeGreaterThan(0);
  expect(drained(outbox).readings[0]).toEqual(reading(0, 'silent'));
});

test('what is older than allowed goes, but only where the time is known', () => {
  let trusted: number | null = null;
  const { outbox, upkeep } = setUp({
    quota: { maxBytes: MIB, maxAgeMs: 500_000, minFreeBytes: 0, ramBytes: MIB },
    trustedAt: () => trusted,
  });
  for (let n = 1; n <= 1_000; n += 1) outbox.append(second(n, 1));
  upkeep.tick();
  expect(outbox.backlog).toBe(1_000);
  trusted = T0 + 1_000_000;
  upkeep.tick();
  expect(outbox.backlog).toBe(501);
  const [gap] = drained(outbox).gaps;
  expect(gap).toMatchObject({ bin: 'a0', to: T0 + 499_000, count: 499, why: 'dropped' });
});

test('the file shrinks again after a drain', () => {
  const { outbox, upkeep, folder } = setUp({}, 64 * MIB);
  for (let n = 1; n <= 40; n += 1) {
    outbox.append(Array.from({ length: 10_000 }, (_, m) => entry(n * 10_000 + m, 'a0')));
  }
  const size = (): number => {
    const { usedBytes, freeBytes } = outbox.shrinking.usage();
    return usedBytes + freeBytes;
  };
  const full = size();
  drained(outbox);
  expect(size()).toBeGreaterThanOrEqual(full);
  for (let n = 0; n < 10; n += 1) upkeep.tick();
  expect(size()).toBeLessThan(full / 2);
  outbox.close();
  expect(statSync(join(folder, 'outbox.sqlite')).size).toBeLessThan(full / 2);
});

describe('endurance', () => {
  test('is what fits at the rate of the last hour', () => {
    const { upkeep, pass } = setUp({}, 512 * MIB);
    expect(upkeep.state().enduranceHours).toBeNull();
    for (let minute = 0; minute < 60; minute += 1) {
      upkeep.count(200);
      pass(60_000);
    }
    const { enduranceHours } = upkeep.state();
    expect(enduranceHours).toBeGreaterThan(7 * 24);
    expect(enduranceHours).toBeLessThan(2_000);
  });
});
