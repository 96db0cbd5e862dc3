import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyTestDatabase } from '../test/database.ts';
import { openPglite } from './database/pglite.ts';

let folder: string;
let occupied: Server;
let port: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offtake-main-'));
  occupied = createServer().listen(0, '127.0.0.1');
  await once(occupied, 'listening');
  ({ port } = occupied.address() as AddressInfo);
});
afterEach(async () => {
  occupied.close();
  await rm(folder, { recursive: true });
});

async function config(yaml: string): Promise<string> {
  const file = join(folder, 'cloud.yaml');
  await writeFile(file, yaml);
  return file;
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args]);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { code, out, err };
}

test('--help says what it needs', async () => {
  const { code, out } = await run('--help');
  expect(code).toBe(0);
  expect(out).toContain('--config <file>');
});

test('a faulty configuration is told line by line, and nothing is started', async () => {
  const file = await config('profile: embedded\ndatadir: here\n');
  const { code, out, err } = await run('--config', file);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err.trim().split('\n')).toEqual([
    expect.stringContaining('dataDir: missing'),
    expect.stringContaining('datadir: is "here"; expected no such key'),
  ]);
});

test('a port in use is told in one line', async () => {
  await mkdir(join(folder, 'data'));
  await rename(await copyTestDatabase(), join(folder, 'data', 'database'));
  const file = await config(`profile: embedded\ndataDir: data\nbroker: { port: ${port} }\n`);
  const { code, err } = await run('--config', file);
  expect({ code, err }).toEqual({
    code: 1,
    err: `broker: 127.0.0.1:${port} is in use by another program\n`,
  });
});

test('readings that are no database are told in one line and left as they are', async () => {
  await mkdir(join(folder, 'data'));
  await rename(await copyTestDatabase(), join(folder, 'data', 'database'));
  await writeFile(join(folder, 'data', 'readings.sqlite'), 'not a database at all'.repeat(100));
  const file = await config('profile: embedded\ndataDir: data\n');
  const { code, err } = await run('--config', file);
  expect(code).toBe(1);
  expect(err.trim().split('\n')).toEqual([expect.stringContaining('readings.sqlite')]);
});

test('readings that are gone are not begun anew', async () => {
  await mkdir(join(folder, 'data'));
  const copy = await copyTestDatabase();
  const database = await openPglite(copy);
  await sql`insert into site (id, name, time_zone) values ('s', 'S', 'UTC')`.execute(database.sql);
  await sql`insert into agent values ('a', 's', '', 0)`.execute(database.sql);
  await sql`insert into cursor values ('a', 'epoch', 1, 0)`.execute(database.sql);
  await database.close();
  await rename(copy, join(folder, 'data', 'database'));
  const file = await config('profile: embedded\ndataDir: data\n');
  const { code, err } = await run('--config', file);
  expect(code).toBe(1);
  expect(err.trim().split('\n')).toEqual([
    expect.stringContaining('readings.sqlite: missing, though readings were taken'),
  ]);
  expect(existsSync(join(folder, 'data', 'readings.sqlite'))).toBe(false);
});
