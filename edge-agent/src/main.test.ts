import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { agentId } from '#shared/ids.ts';
import { encodeRecordingLine } from '#shared/recording.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { Outbox } from './outbox/outbox.ts';
import { aedesBroker } from './testing/brokers.ts';
import { CloudPeer } from './testing/cloud-peer.ts';
import { reading, T0 } from './testing/entries.ts';
import { freshFolder } from './testing/folder.ts';
import { tcpDevice } from './testing/tcp-device.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const EXAMPLE = join(import.meta.dirname, '../agent.example.yaml');

interface Run {
  readonly process: ChildProcessWithoutNullStreams;
  readonly said: () => string;
  readonly exited: Promise<{ code: number | null; said: string }>;
}

function agent(...args: string[]): Run {
  const child = spawn(process.execPath, [MAIN, ...args]);
  let said = '';
  const hear = (chunk: Buffer): void => {
    said += chunk.toString();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const exited = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { process: child, said: () => said, exited };
}

function configFile(folder: string, broker: string, address: string): string {
  const file = join(folder, 'agent.yaml');
  writeFileSync(
    file,
    `
agent: { id: acme-north, secret: s }
broker: ${broker}
dataDir: data
report: { heartbeatS: 1, minSamples: 2 }
links:
  - name: lab
    protocol: mt-sics
    tare: locked
    address: ${address}
    timeoutMs: 30000
    scales: [{ bin: a1, divisionMg: 10, pollMs: 50 }]
`,
  );
  return file;
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

test('help is there for every command', async () => {
  for (const args of [['--help'], ['run', '--help'], ['backfill', '--help'], ['check', '--help']]) {
    const { code, said } = await agent(...args).exited;
    expect(code).toBe(0);
    expect(said).toContain('Usage: agent');
  }
});

test('check says what would be read', async () => {
  const file = configFile(freshFolder(), 'mqtt://127.0.0.1:1', '127.0.0.1:2');
  const { code, said } = await agent('check', '--config', file).exited;
  expect(said).toContain('bin a1: the only scale, every 50 ms');
  expect(code).toBe(0);
});

test('check warns of the secret of the example', async () => {
  const { code, said } = await agent('check', '--config', EXAMPLE).exited;
  expect(said).toContain('warning: agent.secret is still change-me');
  expect(code).toBe(0);
});

test('a mistyped command is told as such', async () => {
  const { code, said } = await agent('chekc').exited;
  expect(said).toContain("unknown command 'chekc': one of help, run, backfill, check");
  expect(code).toBe(1);
});

test('a faulty configuration is told by lines, and the exit is not 0', async () => {
  const file = join(freshFolder(), 'agent.yaml');
  writeFileSync(file, 'agent: { id: a }\nbroker: mqtt://127.0.0.1:1\n');
  const { code, said } = await agent('--config', file).exited;
  expect(code).toBe(1);
  expect(said).toContain('agent.secret: missing');
  expect(said).toContain('dataDir: missing');
  expect(said).not.toContain('    at ');
});

test('a folder that cannot be used is one clear line', async () => {
  const folder = freshFolder();
  const file = configFile(folder, 'mqtt://127.0.0.1:1', '127.0.0.1:2');
  writeFileSync(join(folder, 'data'), 'a file where a folder should be');
  const { code, said } = await agent('--config', file).exited;
  expect(code).toBe(1);
  expect(said.trim().split('\n')).toHaveLength(1);
  expect(said).toContain('name a folder as dataDir');
});

test('from the scale to the cloud, and out with exit 0', async () => {
  const broker = await aedesBroker();
  onTestFinished(() => broker.stop());
  const peer = await CloudPeer.at(broker.url, agentId('acme-north'));
  onTestFinished(() => peer.close());
  const { address } = await tcpDevice((_, socket) => socket.write('S S     100.00 g\r\n'));
  const folder = freshFolder();
  const file = configFile(folder, broker.url, address);
  const running = agent('--config', file);
  await vi.waitFor(() => expect(peer.readings.length).toBeGreaterThan(1), WAIT);
  expect(running.said()).toContain('"msg":"ready"');
  expect(peer.readings[0]).toMatchObject({
    bin: 'a1',
    value: 100_000,
    quality: 'good',
    samples: 2,
  });

  const second = await agent('--config', file).exited;
  expect(second).toMatchObject({ code: 1 });
  expect(second.said).toContain('is in use by another agent');

  running.process.kill('SIGTERM');
  expect(await running.exited).toMatchObject({ code: 0 });
  await vi.waitFor(() => expect(peer.statuses.at(-1)?.online).toBe(false), WAIT);
  const outbox = new Outbox(join(folder, 'data'), { stamp: 'x' });
  expect(outbox.backlog).toBe(0);
  outbox.close();
});

test('a backfill killed at any point and run again takes over every line once', async () => {
  const folder = freshFolder();
  const file = configFile(folder, 'mqtt://127.0.0.1:1', '127.0.0.1:2');
  const recording = join(folder, 'recording.jsonl');
  const lines = Array.from({ length: 60_000 }, (_, n) =>
    encodeRecordingLine({ ...reading(0), at: T0 + n * 60_000, value: 10_000 + (n % 7) * 1_000 }),
  );
  writeFileSync(recording, lines.join('\n'));
  const args = ['backfill', '--config', file, '--recording', recording];
  mkdirSync(join(folder, 'data'));
  for (const kib of [1, 300, 900]) {
    const run = agent(...args);
    const outbox = join(folder, 'data', 'outbox.sqlite-wal');
    const isFar = (): boolean => sizeOf(outbox) >= kib * 1_024 || run.process.exitCode !== null;
    await vi.waitFor(() => expect(isFar()).toBe(true), { ...WAIT, interval: 1 });
    run.process.kill('SIGKILL');
    await run.exited;
  }
  expect(await agent(...args).exited).toMatchObject({ code: 0 });
  const outbox = new Outbox(join(folder, 'data'), { stamp: 'x' });
  onTestFinished(() => outbox.close());
  expect(outbox.setAside).toBeNull();
  expect(outbox.backlog).toBe(60_000);
});
