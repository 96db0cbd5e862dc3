import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Program } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'offtake-program-'));
afterAll(() => rmSync(folder, { recursive: true }));

function program(script: string): Program {
  return new Program({ name: 'work', args: ['-e', script], logFile: join(folder, 'work.log') });
}

const READY = `console.log('{"msg":"ready"}');`;

test('a program that ends by itself is done', async () => {
  await expect(program('').done()).resolves.toBeUndefined();
});

test('a program that fails is not done, and its own complaint says why', async () => {
  const failing = program(`console.error('no such recording'); process.exit(1);`);
  await expect(failing.done()).rejects.toThrow('work: no such recording');
});

test.each([
  ['dies of it', ''],
  ['closes in good order', `process.once('SIGTERM', () => process.exit(1));`],
])('a program that is stopped and %s is not done', async (_, handler) => {
  const working = program(`${handler} setInterval(() => {}, 1000); ${READY}`);
  await working.ready();
  await Promise.all([
    expect(working.done()).rejects.toThrow('work: stopped amid its work'),
    working.stop(),
  ]);
  expect(await working.ended).toBeUndefined();
});
