import { spawn } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Failure } from '#shared/failure.ts';
import { binId } from '#shared/ids.ts';
import { encodeBatch } from '#shared/wire/batch.ts';
import { entries, entry, reading, T0 } from '../testing/entries.ts';
import { freshFolder } from '../testing/folder.ts';
import { Outbox } from './outbox.ts';

function open(folder: string): Outbox {
  const outbox = new Outbox(folder, { stamp: 'now' });
  onTestFinished(() => outbox.close());
  return outbox;
}

function reopened(outbox: Outbox, folder: string): Outbox {
  outbox.close();
  return open(folder);
}

/** The last number that the writer said with this word. */
const last = (said: readonly string[], verb: string): number =>
  Number(said.findLast((line) => line.startsWith(`${verb} `))?.split(' ')[1] ?? 0);

test('readings and their gaps come out of a batch as they went in', () => {
  const outbox = open(freshFolder());
  const gap = { bin: binId('a1'), from: T0, to: T0 + 2_000, count: 3, why: 'dropped' as const };
  outbox.append([entry(1), { ...entry(2), gap }]);
  outbox.seal(1, 100);
  expect(outbox.batch(1)).toEqual({
    epoch: outbox.epoch,
    seq: 1,
    oldest: 1,
    readings: [reading(1), reading(2)],
    gaps: [gap],
  });
});

test('a sealed batch is the same again after a restart and further readings', () => {
  const folder = freshFolder();
  const before = open(folder);
  before.append(entries(1, 5));
  before.seal(1, 3);
  const sent = encodeBatch(before.batch(1));
  const after = reopened(before, folder);
  after.append(entries(6, 9));
  after.seal(8, 3);
  expect(encodeBatch(after.batch(1))).toBe(sent);
  expect(after.batch(2).readings).toEqual([4, 5, 6].map((n) => reading(n)));
});

test('what is ahead of the cloud waits for its time, and publishing has nothing to do meanwhile', () => {
  const outbox = open(freshFolder());
  outbox.append(entries(1, 10));
  outbox.limit(reading(4).at);
  expect(outbox.hasUnsealed).toBe(true);
  outbox.seal(5, 100);
  expect(outbox.batch(1).readings).toEqual([1, 2, 3, 4].map((n) => reading(n)));
  expect(outbox.hasUnsealed).toBe(false);
  outbox.limit(reading(10).at);
  outbox.seal(5, 100);
  expect(outbox.batch(2).readings).toHaveLength(6);
});

test('only a receipt trims, and the newest reading of a bin outlives it', () => {
  const folder = freshFolder();
  const outbox = open(folder);
  outbox.append(entries(1, 10));
  outbox.seal(2, 5);
  outbox.trim(1);
  expect(outbox.backlog).toBe(5);
  outbox.trim(2);
  const after = reopened(outbox, folder);
  expect(after.backlog).toBe(0);
  expect(after.hasUnsealed).toBe(false);
  expect(after.progress).toEqual({ receipted: 2, sealed: 2 });
  expect(after.newest().get(binId('a1'))).toMatchObject({ at: T0 + 10_000, value: 5_010 });
});

test('numbers go on after everything was trimmed and the agent restarted', () => {
  const folder = freshFolder();
  const outbox = open(folder);
  outbox.append(entries(1, 2));
  outbox.seal(1, 10);
  outbox.trim(1);
  const after = reopened(outbox, folder);
  after.append([entry(3)]);
  after.seal(1, 10);
  expect(after.batch(2)).toMatchObject({ seq: 2, oldest: 2, readings: [reading(3)] });
});

test('a reading that is not after the newest of its bin is refused, and nothing of its group', () => {
  const outbox = open(freshFolder());
  outbox.append([entry(5)]);
  expect(() => outbox.append([entry(6), entry(5)])).toThrow('not after its newest reading');
  expect(outbox.backlog).toBe(1);
  outbox.append([entry(6)]);
  expect(outbox.backlog).toBe(2);
});

test('a renewed outbox keeps its readings under a new epoch, numbered from 1', () => {
  const folder = freshFolder();
  const outbox = open(folder);
  const { epoch } = outbox;
  outbox.append(entries(1, 6));
  outbox.seal(3, 2);
  outbox.trim(1);
  outbox.renew();
  const after = reopened(outbox, folder);
  expect(after.epoch).not.toBe(epoch);
  after.seal(1, 100);
  expect(after.batch(1)).toMatchObject({
    seq: 1,
    oldest: 1,
    readings: [3, 4, 5, 6].map((n) => reading(n)),
  });
});

describe('a broken store', () => {
  const DAMAGES: readonly (readonly [string, (file: string) => void])[] = [
    ['overwritten with noise', (file) => writeFileSync(file, Buffer.alloc(8_192, 0x5a))],
    ['cut in half', (file) => truncateSync(file, 10_240)],
    [
      'damaged in a page',
      (file) => {
        const bytes = readFileSync(file);
        writeFileSync(file, bytes.fill(0xff, 4_096 * 2, 4_096 * 6));
      },
    ],
    [
      'another database',
      (file) => {
        writeFileSync(file, '');
        const other = new DatabaseSync(file);
        other.exec('CREATE TABLE other (x)');
        other.close();
      },
    ],
  ];

  test.each(DAMAGES)('%s is set aside, reported, and replaced by a new epoch', (_, damage) => {
    const folder = freshFolder();
    const outbox = open(folder);
    outbox.append(entries(1, 500));
    outbox.close();
    damage(join(folder, 'outbox.sqlite'));
    const after = open(folder);
    expect(after.epoch).not.toBe(outbox.epoch);
    expect(after.setAside?.file).toBe(join(folder, 'outbox.sqlite.corrupt-now'));
    expect(readdirSync(folder)).toContain('outbox.sqlite.corrupt-now');
    after.append([entry(1)]);
    expect(after.backlog).toBe(1);
  });

  test('one of a newer agent is left alone', () => {
    const folder = freshFolder();
    open(folder).close();
    const newer = new DatabaseSync(join(folder, 'outbox.sqlite'));
    newer.exec('PRAGMA user_version = 99; CREATE TABLE later (x)');
    newer.close();
    expect(() => open(folder)).toThrow('was written by a newer agent');
    expect(readdirSync(folder)).toEqual(['outbox.sqlite']);
  });

  test('one of the first version is taken over', () => {
    const folder = freshFolder();
    const old = new DatabaseSync(join(folder, 'outbox.sqlite'));
    old.exec(readFileSync(join(import.meta.dirname, '../testing/outbox-v1.sql'), 'utf8'));
    old.close();
    const outbox = open(folder);
    expect(outbox.setAside).toBeNull();
    expect(outbox.epoch).toBe('e1');
    expect(outbox.backlog).toBe(3);
    outbox.append([entry(4)]);
    outbox.seal(5, 2);
    expect(outbox.batch(3).readings).toEqual([reading(1), reading(2)]);
    expect(outbox.batch(4).readings).toEqual([
      { ...reading(3), value: null, samples: 0, quality: 'comm-error', synced: false },
      reading(4),
    ]);
  });

  test('a large one is not read when it is opened, and damage is noticed when it is', () => {
    const folder = freshFolder();
    const before = open(folder);
    for (let n = 0; n < 60; n += 1) before.append(entries(n * 10_000, n * 10_000 + 9_999));
    before.close();
    const file = join(folder, 'outbox.sqlite');
    const bytes = readFileSync(file);
    bytes.fill(0xff, 8_388_608, 8_388_608 + 8_192);
    writeFileSync(file, bytes);
    const outbox = open(folder);
    expect(outbox.setAside).toBeNull();
    expect(outbox.backlog).toBe(600_000);
    const readAll = (): void => {
      outbox.seal(1_200, 500);
      for (let seq = 1; seq <= 1_200; seq += 1) outbox.batch(seq);
    };
    expect(readAll).toThrow('is corrupt');
    const after = reopened(outbox, folder);
    expect(after.epoch).not.toBe(outbox.epoch);
    expect(after.setAside?.saved).toBe(after.backlog);
    expect(after.backlog + (after.setAside?.lost ?? 0)).toBe(600_000);
    expect(after.backlog).toBeGreaterThan(599_000);
    expect(after.backlog).toBeLessThan(600_000);
  });

  test('a folder that cannot be made is one clear failure', () => {
    const folder = freshFolder();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    chmodSync(file, 0o400);
    expect(() => open(join(file, 'data'))).toThrow(Failure);
  });
});

describe('killed while writing', () => {
  const WRITER = fileURLToPath(new URL('../testing/outbox-writer.ts', import.meta.url));

  /** Runs the writer until it has said so many lines, kills it, and returns what it said. */
  async function killedAfter(folder: string, lines: number): Promise<string[]> {
    const child = spawn(process.execPath, [WRITER, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line);
      if (said.length === lines) child.kill('SIGKILL');
    }
    return said;
  }

  test('what was committed is there, once and in order, and nothing trimmed comes back', async () => {
    const folder = freshFolder();
    let trimmed = 0;
    let committed = 0;
    for (const lines of [1, 2, 9, 40, 120]) {
      const said = await killedAfter(folder, lines);
      expect(last(said, 'found')).toBeGreaterThanOrEqual(committed);
      committed = Math.max(committed, last(said, 'found'), last(said, 'appended'));
      trimmed = Math.max(trimmed, last(said, 'trimmed'));
      const outbox = new Outbox(folder, { stamp: 'x' });
      expect(outbox.setAside).toBeNull();
      outbox.seal(1_000, 50);
      const { receipted, sealed } = outbox.progress;
      const values: number[] = [];
      for (let seq = receipted + 1; seq <= sealed; seq += 1) {
        values.push(...outbox.batch(seq).readings.map(({ value }) => (value ?? 0) - 5_000));
      }
      outbox.close();
      const first = values[0] ?? 0;
      expect(values).toEqual(values.map((_, place) => first + place));
      expect(first).toBeGreaterThanOrEqual(trimmed);
      expect((values.at(-1) ?? -1) + 1).toBeGreaterThanOrEqual(committed);
      committed = (values.at(-1) ?? -1) + 1;
    }
    expect(trimmed).toBeGreaterThan(0);
  });
});

describe('whatever is appended, sealed, trimmed and reopened', () => {
  const step = fc.oneof(
    fc.record({ act: fc.constant('append' as const), count: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ act: fc.constant('seal' as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ act: fc.constant('trim' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ act: fc.constant('reopen' as const), count: fc.constant(0) }),
    fc.record({ act: fc.constant('renew' as const), count: fc.constant(0) }),
  );

  test('batches partition the readings, without gaps in their numbers', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const folder = freshFolder();
        let outbox = new Outbox(folder, { stamp: 'x' });
        let appended = 0;
        let trimmed = 0;
        for (const { act, count } of steps) {
          if (act === 'append') {
            outbox.append(entries(appended, appended + count - 1));
            appended += count;
          } else if (act === 'seal') outbox.seal(count, 7);
          else if (act === 'trim') {
            const upTo = Math.min(outbox.progress.receipted + count, outbox.progress.sealed);
            for (let seq = outbox.progress.receipted + 1; seq <= upTo; seq += 1) {
              trimmed += outbox.batch(seq).readings.length;
            }
            outbox.trim(upTo);
          } else if (act === 'reopen') {
            outbox.close();
            outbox = new Outbox(folder, { stamp: 'x' });
          } else outbox.renew();
          expect(outbox.backlog).toBe(appended - trimmed);
        }
        outbox.seal(1_000, 7);
        const { receipted, sealed } = outbox.progress;
        const values: number[] = [];
        for (let seq = receipted + 1; seq <= sealed; seq += 1) {
          const { readings } = outbox.batch(seq);
          expect(readings.length).toBeGreaterThan(0);
          expect(readings.length).toBeLessThanOrEqual(7);
          values.push(...readings.map(({ value }) => value ?? 0));
        }
        outbox.close();
        const left = Array.from({ length: appended - trimmed }, (_, n) => 5_000 + trimmed + n);
        expect(values).toEqual(left);
      }),
      { numRuns: 40 },
    );
  });
});
