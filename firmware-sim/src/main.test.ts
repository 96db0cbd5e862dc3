import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeWireRecording } from '#shared/wire-recording.ts';
import { recordingOf } from './testing/recordings.ts';
import { smallText } from './testing/small-scenario.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'sim-'));
const scenario = join(dir, 'small.yaml');
const state = join(dir, 'state');
beforeAll(() => writeFileSync(scenario, smallText()));
afterAll(() => rmSync(dir, { recursive: true }));

const sim = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

async function finished(child: ChildProcess) {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (part) => (stdout += String(part)));
  child.stderr?.on('data', (part) => (stderr += String(part)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

async function ready(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error('no stdout');
  let port = 0;
  for await (const line of createInterface(child.stdout)) {
    const entry = JSON.parse(line) as { msg: string; port?: number };
    port ||= entry.port ?? 0;
    if (entry.msg === 'ready') return port;
  }
  throw new Error('the simulator ended before it was ready');
}

test('help is given for every command', async () => {
  for (const args of [['--help'], ['run', '--help'], ['history', '--help'], ['replay', '--help']]) {
    expect(await finished(sim(...args))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('--help') as string,
      stderr: '',
    });
  }
});

test.each([
  ['a missing scenario', () => ['--scenario', join(dir, 'none.yaml')], 'none.yaml: no such file'],
  [
    'a missing option',
    () => ['history', '--scenario', scenario],
    "required option '--state <dir>'",
  ],
  [
    'a recording that is none',
    () => ['replay', scenario, '--listen', '0'],
    'small.yaml: line 1 is',
  ],
  ['a missing recording', () => ['replay', join(dir, 'none'), '--listen', '0'], 'no such file'],
  ['a replay without a place', () => ['replay', scenario], 'say either --listen'],
  [
    'a replay for other machines',
    () => ['replay', scenario, '--listen', '0.0.0.0:1502'],
    'only this machine is served',
  ],
])('%s is one line and a status other than 0', async (_, args, message) => {
  const { code, stdout, stderr } = await finished(sim(...args()));
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});

test('killed at any time it goes on with the truth, each event once, and stops on SIGINT', async () => {
  const history = ['history', '--scenario', scenario, '--state', state, '--out', join(dir, 'out')];
  expect(await finished(sim(...history))).toMatchObject({ code: 0, stderr: '' });
  // As if half of it had been lost in the middle of a line.
  const file = join(state, 'truth.jsonl');
  const whole = readFileSync(file, 'utf8');
  writeFileSync(file, whole.slice(0, Math.floor(whole.length / 2)));
  for (const signal of ['SIGKILL', 'SIGKILL', 'SIGINT'] as const) {
    const child = sim('--scenario', scenario, '--state', state);
    const ended = once(child, 'close');
    expect(await ready(child)).toBeGreaterThan(0);
    child.kill(signal);
    const [code] = (await ended) as [number | null];
    expect(code).toBe(signal === 'SIGINT' ? 0 : null);
  }
  const truth = readFileSync(file, 'utf8');
  expect(truth.startsWith(whole)).toBe(true);
  const keys = truth
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { at: number; bin: string })
    .map(({ at, bin }) => `${at} ${bin}`);
  expect(new Set(keys).size).toBe(keys.length);
});

test('a recording is replayed until SIGINT', async () => {
  const file = join(dir, 'wire.jsonl');
  const lines = [['tx', '53490d0a'] as const, ['rx', '45530d0a'] as const];
  writeFileSync(
    file,
    encodeWireRecording(
      recordingOf(
        'mt-sics',
        lines.map((line) => [0, ...line]),
      ),
    ),
  );
  const child = sim('replay', file, '--listen', '127.0.0.1:0');
  const ended = once(child, 'close');
  if (!child.stdout) throw new Error('no stdout');
  for await (const line of createInterface(child.stdout)) {
    const port = /^ready: .* 127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
    if (port === undefined) continue;
    const socket = connect({ port: Number(port), host: '127.0.0.1' });
    socket.write('SI\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toBe('ES\r\n');
    socket.destroy();
    child.kill('SIGINT');
  }
  expect(await ended).toEqual([0, null]);
});

test('a port in use is one line and a status other than 0', async () => {
  const first = sim('--scenario', scenario);
  const ended = once(first, 'close');
  const port = await ready(first);
  const taken = join(dir, 'taken.yaml');
  writeFileSync(taken, smallText().replace('port: 0', `port: ${port}`));
  const { code, stderr } = await finished(sim('--scenario', taken));
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `workshop/tcp: port 127.0.0.1:${port} is in use\n`,
  });
  first.kill('SIGTERM');
  await ended;
});
