import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { agentId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { decodeWireRecording } from '#shared/wire-recording.ts';
import { readConfig } from './configuration/config.ts';
import { Operation } from './operation.ts';
import type { StatusReport } from './status/report.ts';
import { askStatus } from './status/socket.ts';
import { freshFolder } from './testing/folder.ts';
import { notifySocket } from './testing/notify-socket.ts';
import { tcpDevice } from './testing/tcp-device.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

/** Nobody listens at port 1: the cloud is away all the time. */
function configFile(address: string, timeoutMs: number): { file: string; data: string } {
  const folder = freshFolder();
  const file = join(folder, 'agent.yaml');
  writeFileSync(
    file,
    `
agent: { id: acme-north, secret: s }
broker: mqtt://127.0.0.1:1
dataDir: data
links:
  - name: lab
    protocol: mt-sics
    address: ${address}
    timeoutMs: ${timeoutMs}
    scales: [{ bin: a1, divisionMg: 10 }]
`,
  );
  return { file, data: join(folder, 'data') };
}

function startAgent(file: string, env: Record<string, string> = {}): void {
  const child = spawn(process.execPath, [MAIN, '--config', file], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await exited;
  });
}

/** The devices answer from this process, so it must not stand still meanwhile. */
async function status(
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, 'status', ...args]);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

test('a link is watched from when it begins until it ends', () => {
  let nowMs = 0;
  const signs: string[] = [];
  const operation = new Operation({
    agent: agentId('acme-north'),
    dataDir: freshFolder(),
    file: null,
    version: '1',
    pid: 1,
    clock: { wallMs: () => nowMs, monotonicMs: () => nowMs },
    log: createLog('test', 'silent'),
    notify: (...states) => void signs.push(...states),
    isPublishingIdle: () => true,
  });
  const [link] = readConfig(configFile('127.0.0.1:1', 300).file).links;
  if (link === undefined) throw new Error('the configuration has a link');
  operation.links.watch(link);
  nowMs = 3_600_000;
  operation.committed();
  expect(signs).toEqual([]);
  operation.links.forget(link.name);
  operation.committed();
  expect(signs).toEqual(['WATCHDOG=1']);
});

test('where no agent runs, its status is one clear line and exit 1', async () => {
  const { file, data } = configFile('127.0.0.1:2', 300);
  const asked = await status('--config', file);
  expect(asked.code).toBe(1);
  expect(asked.stderr.trim()).toBe(
    `no agent is running on ${data}: start it, or name its own configuration`,
  );
});

test.skipIf(!requireProgram('systemd-notify') || !requireProgram('python3'))(
  'with the cloud away the agent is ready, gives signs of life, and says how it is',
  async () => {
    const { address } = await tcpDevice((bytes, socket) => {
      const asksForTare = bytes.toString().startsWith('TA');
      socket.write(asksForTare ? 'TA A       0.00 g\r\n' : 'S S     100.00 g\r\n');
    });
    const { file, data } = configFile(address, 30_000);
    const { path, states } = await notifySocket();
    startAgent(file, { NOTIFY_SOCKET: path });
    await vi.waitFor(() => expect(states).toContain('WATCHDOG=1'), WAIT);
    await vi.waitFor(() => expect(states).toContain('READY=1'), WAIT);
    await vi.waitFor(async () => expect((await askStatus(data)).outbox.backlog).toBe(1), WAIT);
    const asked = await status('--config', file, '--json');
    expect(asked.code).toBe(0);
    const report = JSON.parse(asked.stdout) as StatusReport;
    expect(report).toMatchObject({
      agent: 'acme-north',
      broker: { isConnected: false, lastReceipt: null },
      links: [{ name: 'lab', isUp: true, slaves: [{ bin: 'a1', isOk: true, errors: 0 }] }],
      stalled: [],
    });
    const reading = { value: 100_000, unit: 'mg', quality: 'good' };
    expect(report.links[0]?.slaves[0]).toMatchObject({ reading });
    expect(report.links[0]?.slaves[0]?.latencyMs).toBeGreaterThan(0);
    expect((await status('--config', file)).stdout).toContain('link     lab: mt-sics at');
  },
);

test('what went over the line before a scale fell silent is on disk', async () => {
  let answers = 0;
  const { address } = await tcpDevice((_, socket) => {
    answers += 1;
    if (answers <= 2) socket.write('S S     1');
  });
  const { file, data } = configFile(address, 300);
  startAgent(file);
  const recordings = (): string[] => {
    try {
      return readdirSync(join(data, 'wire')).filter((name) => name.endsWith('.jsonl'));
    } catch {
      return [];
    }
  };
  await vi.waitFor(() => expect(recordings()).toHaveLength(1), WAIT);
  const [name = ''] = recordings();
  expect(name).toMatch(/Z-lab-comm-error\.jsonl$/);
  const { header, pieces } = decodeWireRecording(readFileSync(join(data, 'wire', name), 'utf8'));
  expect(header).toMatchObject({ protocol: 'mt-sics', link: 'lab' });
  expect(pieces.map(({ hex }) => Buffer.from(hex, 'hex').toString())).toContain('S S     1');
});
