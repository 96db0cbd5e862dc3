import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { binId, productId } from '#shared/ids.ts';
import type { WorldEvent } from '../core/model.ts';
import { openTruth } from './truth.ts';

const folder = mkdtempSync(join(tmpdir(), 'truth-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Several bins change at the same instant, so time alone does not tell where to go on. */
const EVENTS: readonly WorldEvent[] = [1, 2, 2, 2, 5, 9, 9].map((at, i) => ({
  at,
  bin: binId(`bin-${i}`),
  product: productId('screw'),
  kind: 'consumption',
  quantity: -i - 1,
  massMg: -2000 * (i + 1),
}));
const COMPLETE = EVENTS.map((event) => `${JSON.stringify(event)}\n`).join('');

async function writeAll(file: string): Promise<string | null> {
  const truth = await openTruth(file, 0);
  truth.add(EVENTS.slice(0, 4));
  await truth.flush();
  truth.add(EVENTS.slice(4));
  await truth.close();
  await truth.close();
  return truth.replaced;
}

test('events are written once each, in order', async () => {
  const file = join(folder, 'plain.jsonl');
  await writeAll(file);
  expect(readFileSync(file, 'utf8')).toBe(COMPLETE);
});

test('a file torn at any byte is continued without loss or repetition', async () => {
  const file = join(folder, 'torn.jsonl');
  for (let bytes = 0; bytes <= COMPLETE.length; bytes += 1) {
    writeFileSync(file, COMPLETE.slice(0, bytes));
    expect(await writeAll(file)).toBeNull();
    expect(readFileSync(file, 'utf8'), `torn at ${bytes}`).toBe(COMPLETE);
  }
});

test('a damaged file is set aside and written anew', async () => {
  const file = join(folder, 'damaged.jsonl');
  writeFileSync(file, `${COMPLETE}\0\0\0\0\n`);
  const aside = await writeAll(file);
  expect(readFileSync(file, 'utf8')).toBe(COMPLETE);
  expect(readFileSync(aside ?? '', 'utf8')).toBe(`${COMPLETE}\0\0\0\0\n`);
});

test('a folder that cannot be made is named', async () => {
  const file = join(folder, 'plain.jsonl', 'truth.jsonl');
  await expect(openTruth(file, 0)).rejects.toThrow(file);
  expect(readdirSync(folder)).toContain('plain.jsonl');
});
