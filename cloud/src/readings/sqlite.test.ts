import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Failure } from '#shared/failure.ts';
import { binId } from '#shared/ids.ts';
import { describeReadingsStore } from './conformance.ts';
import { openSqliteReadings } from './sqlite.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offtake-readings-'));
  file = join(folder, 'readings.sqlite');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describeReadingsStore('SQLite', async () => {
  const place = await mkdtemp(join(tmpdir(), 'offtake-readings-'));
  return {
    open: async () => openSqliteReadings(join(place, 'readings.sqlite')),
    clear: () => rm(place, { recursive: true }),
  };
});

const failureOf = (open: () => unknown): unknown => {
  try {
    open();
  } catch (error) {
    return error;
  }
  throw new Error('expected a failure');
};

it('refuses a file that is no database and leaves it as it was', async () => {
  const content = Buffer.alloc(8_192, 'not a database ');
  await writeFile(file, content);
  const failure = failureOf(() => openSqliteReadings(file));
  expect(failure).toMatchObject({ code: 'readings-corrupt', retry: 'never' });
  expect((failure as Error).message).toMatch(/^\S*readings\.sqlite: .*; restore it from a backup$/);
  expect(await readFile(file)).toEqual(content);
});

it('reports a page that became unreadable when it is read', async () => {
  const store = openSqliteReadings(file);
  const rows = Array.from({ length: 20_000 }, (_, at) => at + 1).map((at) => ({
    bin: binId('a1'),
    at,
    value: at,
    unit: 'mg' as const,
    samples: 1,
    spread: 0,
    quality: 'good' as const,
    synced: true,
  }));
  await store.append(rows);
  await store.close();
  const bytes = await readFile(file);
  bytes.fill(0xff, 4_096 * 3);
  await writeFile(file, bytes);
  const damaged = openSqliteReadings(file);
  const read = damaged.count(binId('a1'), { from: 0, to: 1e9 });
  await expect(read).rejects.toMatchObject({ code: 'readings-corrupt' });
  await damaged.close();
});

it('blames the reading and not the disk for a value that no column holds', async () => {
  const store = openSqliteReadings(file);
  const still = { unit: 'mg', samples: 1, spread: 0, quality: 'good', synced: true } as const;
  const append = store.append([{ bin: binId('a1'), at: 1, value: 0.5, ...still }]);
  await expect(append).rejects.not.toBeInstanceOf(Failure);
  expect(await store.append([{ bin: binId('a1'), at: 1, value: 5, ...still }])).toEqual(['stored']);
  await store.close();
});

it("refuses a newer version's file", () => {
  const newer = new DatabaseSync(file);
  newer.exec('pragma user_version = 99');
  newer.close();
  expect(failureOf(() => openSqliteReadings(file))).toMatchObject({
    code: 'readings-unavailable',
    retry: 'never',
  });
});

it('refuses a folder that is not there', () => {
  const missing = join(folder, 'missing/readings.sqlite');
  expect(failureOf(() => openSqliteReadings(missing))).toMatchObject({
    code: 'readings-unavailable',
    retry: 'never',
  });
});

it('belongs to one process, and loses nothing appended when that is killed', async () => {
  const holder = fork(new URL('../../test/readings-holder.ts', import.meta.url), [file], {
    execArgv: [],
    stdio: 'inherit',
  });
  expect((await once(holder, 'message'))[0]).toBe('appended');
  expect(failureOf(() => openSqliteReadings(file))).toMatchObject({ code: 'readings-in-use' });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const store = openSqliteReadings(file);
  expect(await store.count(binId('a1'), { from: 0, to: 1e9 })).toBe(1_000);
  await store.close();
});
