import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freshFolder } from '../testing/folder.ts';
import { statusReport } from '../testing/status-report.ts';
import { askStatus, serveStatus } from './socket.ts';

async function serving(folder: string): Promise<void> {
  const stop = await serveStatus(folder, () => statusReport({ uptimeS: 7 }));
  onTestFinished(stop);
}

test('the running agent answers with its report, to its owner only', async () => {
  const folder = freshFolder();
  await serving(folder);
  expect(await askStatus(folder)).toEqual(statusReport({ uptimeS: 7 }));
  expect(await askStatus(folder)).toEqual(statusReport({ uptimeS: 7 }));
  expect(statSync(join(folder, 'agent.sock')).mode & 0o777).toBe(0o600);
});

test('a socket that a killed agent left over says that none is running, and is replaced', async () => {
  const folder = freshFolder();
  await expect(askStatus(folder)).rejects.toMatchObject({ code: 'not-running' });
  writeFileSync(join(folder, 'agent.sock'), '');
  await expect(askStatus(folder)).rejects.toMatchObject({ code: 'not-running' });
  await serving(folder);
  expect(await askStatus(folder)).toMatchObject({ uptimeS: 7 });
});

test('a folder whose path is longer than a socket may be named works as well', async () => {
  const folder = join(freshFolder(), 'x'.repeat(100), 'y'.repeat(100));
  mkdirSync(folder, { recursive: true });
  await serving(folder);
  expect(await askStatus(folder)).toMatchObject({ uptimeS: 7 });
});

test('one who asks and goes at once harms nobody', async () => {
  const folder = freshFolder();
  await serving(folder);
  for (let n = 0; n < 20; n += 1) connect(join(folder, 'agent.sock')).destroy();
  expect(await askStatus(folder)).toMatchObject({ uptimeS: 7 });
});
