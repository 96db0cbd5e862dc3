import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { WAIT } from '#shared/testing/patience.ts';
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

test('a program whose starter is killed is asked to stop', async () => {
  const ended = join(folder, 'ended');
  const child = `
    process.once('SIGTERM', () => {
      require('node:fs').writeFileSync(${JSON.stringify(ended)}, '');
      process.exit();
    });
    setInterval(() => {}, 1000);
    ${READY}`;
  // Puts itself in its own place first, as agents do for an option of V8.
  const anew = `
    const [node, ...rest] = [process.execPath, ...process.execArgv.slice(0, 2)];
    process.execve(node, [node, ...rest, '-e', ${JSON.stringify(child)}], process.env);`;
  const starter = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { Program } from ${JSON.stringify(new URL('./program.ts', import.meta.url).href)};
      const logFile = ${JSON.stringify(join(folder, 'orphan.log'))};
      const args = ['-e', ${JSON.stringify(anew)}];
      await new Program({ name: 'work', args, logFile }).ready();
      console.log('started');
      setInterval(() => {}, 1000);`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(starter.stdout, 'data');
  expect(existsSync(ended)).toBe(false);
  starter.kill('SIGKILL');
  await vi.waitFor(() => expect(existsSync(ended)).toBe(true), WAIT);
});
