import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '#shared/log.ts';
import { startSimulator } from '../run.ts';
import { parseScenario } from '../scenario/scenario.ts';
import { smallText } from '../testing/small-scenario.ts';

const NOW = Date.UTC(2026, 2, 4, 10);
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outages-'));
});
let running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  // Simulators write their state while they close: the folder goes last.
  await Promise.all(running.map((simulator) => simulator.close()));
  running = [];
  rmSync(dir, { recursive: true });
});

/** The bench scenario at a time that the test sets. */
async function bench(options: { change: (text: string) => string; speed?: number }) {
  const { change, speed = 1 } = options;
  const time = { ms: NOW };
  const clock = { wallMs: () => time.ms, monotonicMs: () => performance.now() };
  const scenario = parseScenario('small.yaml', change(smallText()));
  const log = createLog('sim', 'silent');
  const simulator = await startSimulator({
    scenario,
    speed,
    stateDir: dir,
    ptyDir: null,
    clock,
    log,
  });
  running.push(simulator);
  const portOf = (name: string): number =>
    simulator.links.find(({ link }) => link === name)?.port ?? 0;
  return { time, simulator, portOf };
}

const REQUEST = Buffer.from('000100000006010400000005', 'hex');

async function client(port: number) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Waits for a new connection to be closed by the other side. */
async function closed(port: number): Promise<void> {
  const late = connect({ port, host: '127.0.0.1' });
  late.on('error', () => late.destroy());
  late.resume();
  await once(late, 'close');
}

/** Function code of the answer. */
async function ask(port: number): Promise<number> {
  const socket = await client(port);
  socket.write(REQUEST);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.readUInt8(7);
}

interface Line {
  at: number;
  until?: number;
  wall?: number;
  kind: string;
  bin?: string;
  site?: string;
  link?: string;
}
const truth = (): Line[] =>
  readFileSync(join(dir, 'truth.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('an outage', () => {
  test('of a device is exception 0x0B on TCP, ends, and stands in the truth', async () => {
    const { time, simulator, portOf } = await bench({
      change: (text) =>
        text.replace('unit: 1\n', 'unit: 1\n            outage: { afterS: 60, durationS: 30 }\n'),
    });
    expect(await ask(portOf('tcp'))).toBe(4);
    time.ms = NOW + 60_000;
    expect(await ask(portOf('tcp'))).toBe(0x84);
    time.ms = NOW + 90_000;
    expect(await ask(portOf('tcp'))).toBe(4);
    await simulator.close();
    const outage = truth().filter(({ kind }) => kind === 'outage');
    expect(outage).toEqual([
      {
        at: NOW + 60_000,
        until: NOW + 90_000,
        kind: 'outage',
        site: 'workshop',
        link: 'tcp',
        bin: 'workshop-washers',
      },
    ]);
  });

  test('of a link closes Modbus TCP connections, also new ones, until it ends', async () => {
    const { time, portOf } = await bench({
      change: (text) =>
        text.replace('port: 0\n', 'port: 0\n        outage: { afterS: 60, durationS: 30 }\n'),
    });
    const socket = await client(portOf('tcp'));
    socket.resume();
    time.ms = NOW + 60_000;
    await once(socket, 'close');
    await closed(portOf('tcp'));
    time.ms = NOW + 90_000;
    expect(await ask(portOf('tcp'))).toBe(4);
  });

  test('of a site closes its Modbus TCP connections, and its serial lines answer after it', async () => {
    const { time, portOf } = await bench({
      change: (text) =>
        text.replace(
          'agent: workshop\n',
          'agent: workshop\n    outage: { afterS: 60, durationS: 30 }\n',
        ),
    });
    const socket = await client(portOf('sics'));
    socket.setEncoding('latin1');
    time.ms = NOW + 60_000;
    await closed(portOf('tcp'));
    time.ms = NOW + 90_000;
    socket.write('I4\r\n');
    const [answer] = (await once(socket, 'data')) as [string];
    expect(answer).toBe('I4 A "workshop-sand"\r\n');
    socket.destroy();
  });
});

test('with --speed a minute is an hour, and truth says when it could be seen', async () => {
  const { time, simulator } = await bench({ change: (text) => text, speed: 60 });
  time.ms = NOW + 60_000;
  await simulator.close();
  const lines = truth();
  const state = JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as {
    truthTo: number;
    speed: number;
  };
  expect(state).toMatchObject({ truthTo: NOW + 3_600_000, speed: 60 });
  // 6000 washers a day in picks of about ten are 25 an hour.
  expect(lines.length).toBeGreaterThan(15);
  for (const { at, wall = 0 } of lines) {
    expect(at).toBeLessThanOrEqual(NOW + 3_600_000);
    expect(Math.abs(wall - (NOW + (at - NOW) / 60))).toBeLessThanOrEqual(0.5);
  }
  await expect(bench({ change: (text) => text, speed: 2 })).rejects.toThrow('--speed 60');
});

test('what people do to a scale stands in the truth', async () => {
  const cell =
    'cell: { tare: { afterS: 10 }, leaning: { afterS: [20, 40] }, unit: { afterS: 30 } }';
  const { time, simulator } = await bench({
    change: (text) => text.replace('unit: 7\n', `unit: 7\n            ${cell}\n`),
  });
  time.ms = NOW + 60_000;
  await simulator.close();
  const lines = truth().filter(({ until }) => until !== undefined);
  expect(lines.map(({ at, kind, bin }) => [at - NOW, kind, bin])).toEqual([
    [10_000, 'tare', 'workshop-clamps'],
    [20_000, 'leaning', 'workshop-clamps'],
    [30_000, 'unit', 'workshop-clamps'],
    [40_000, 'leaning', 'workshop-clamps'],
  ]);
});
