import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Gap, Reading } from '#shared/reading.ts';
import { freshFolder } from '../testing/folder.ts';
import { Outbox } from './outbox.ts';

const WRITER = fileURLToPath(new URL('../testing/disk-writer.ts', import.meta.url));

interface Said {
  readonly says: string;
  readonly readings: number;
  readonly lost: number;
}

/**
 * Takes readings for as long as the disk has room for a file of so many KiB and longer. The limit is
 * one of the kernel, so that every write beyond it really fails.
 */
async function written(folder: string, kib: number): Promise<Said[]> {
  const limited = `ulimit -S -f ${kib} && exec "$@"`;
  const args = ['-c', limited, 'sh', process.execPath, WRITER, folder];
  const child = spawn('bash', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: Said[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(JSON.parse(line) as Said);
  }
  return said;
}

function contents(folder: string): { readings: Reading[]; gaps: Gap[] } {
  const outbox = new Outbox(folder, { stamp: 'x' });
  expect(outbox.setAside).toBeNull();
  outbox.seal(10_000, 500);
  const batches = Array.from({ length: outbox.progress.sealed }, (_, n) => outbox.batch(n + 1));
  outbox.close();
  return {
    readings: batches.flatMap((batch) => batch.readings),
    gaps: batches.flatMap((batch) => batch.gaps),
  };
}

test('a full disk ends nothing: what memory cannot hold is in gap records once it has room', async () => {
  const folder = freshFolder();
  const said = await written(folder, 256);
  expect(said.map(({ says }) => says)).toEqual(['full', 'lost', 'room', 'done']);
  const [full, lost, room, done] = said;
  expect(full?.lost).toBe(0);
  expect(lost?.lost).toBeGreaterThan(0);
  expect(room?.readings).toBe(lost?.readings);
  const { readings, gaps } = contents(folder);
  const counted = gaps.reduce((sum, { count }) => sum + count, readings.length);
  expect(counted).toBe(done?.readings);
  expect(gaps.some(({ why }) => why === 'dropped')).toBe(true);
  for (const bin of ['a', 'b', 'c']) {
    const times = readings.filter((reading) => reading.bin === bin).map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  }
});
