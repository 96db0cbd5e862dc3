import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { readConfig, type LinkConfig } from '../configuration/config.ts';
import { profileNames } from '../scale/profile.ts';
import { freshFolder } from '../testing/folder.ts';
import { modbusDevice, requirePymodbus } from '../testing/pymodbus.ts';
import { serialScale } from '../testing/serial-scale.ts';
import { tcpDevice } from '../testing/tcp-device.ts';
import { probe, type ProbeOptions, type ProbeResult } from './probe.ts';
import { isSure, probeText } from './text.ts';

const run = (address: string, options: Partial<ProbeOptions> = {}): Promise<ProbeResult> =>
  probe({
    address,
    weightMg: 500_000,
    units: [1, 2, 3],
    profiles: profileNames(),
    timeoutMs: 200,
    listenMs: 150,
    say: () => {},
    nextWeight: async () => null,
    ...options,
  });

const holding = (...words: number[]): number[] => [
  ...words,
  ...Array<number>(64 - words.length).fill(0),
];

test.skipIf(!requirePymodbus())(
  'a profile is recognised behind pymodbus, and a weight below zero tells it from another',
  async () => {
    const device = await modbusDevice('tcp', { 2: { input: holding(0, 5_000, 0, 5_000, 4) } });
    const address = `127.0.0.1:${device.port}`;
    const first = await run(address);
    expect(first).toMatchObject({ kind: 'modbus', protocol: 'modbus-tcp', unit: 2, weights: 1 });
    expect(probeText(first)).toContain('2 profiles agree with 1 known weight: NOT sure');
    let isHeavy = false;
    const found = await run(address, {
      nextWeight: async () => {
        if (isHeavy) {
          // Below zero: a magnitude, and the sign in bit 1 of the status.
          await device.tell('2 input 1 3000');
          await device.tell('2 input 4 6');
          return -300_000;
        }
        isHeavy = true;
        await device.tell('2 input 1 12000');
        return 1_200_000;
      },
    });
    expect(found).toMatchObject({
      fits: [{ profile: 'dini-argeo-dgt', countMg: 100 }],
      weights: 3,
    });
    const text = probeText(found);
    expect(text).toContain('Profile dini-argeo-dgt agrees with 3 known weights: sure.');
    expect(text).toContain('unit: 2, profile: dini-argeo-dgt, countMg: 100');
  },
);

test.skipIf(!requirePymodbus() || !requireProgram('socat'))(
  'a float with swapped words is found on a serial line, for which there is no profile',
  async () => {
    // 0.5 and 1.25 as float32: 3f00 0000 and 3fa0 0000, low word first.
    const device = await modbusDevice('rtu', { 1: { holding: holding(1, 2, 3, 4, 0, 0x3f00, 8) } });
    const path = join(freshFolder(), 'tty');
    const bridge = spawn('socat', [`PTY,link=${path},raw`, `TCP:127.0.0.1:${device.port}`]);
    const exited = once(bridge, 'exit');
    onTestFinished(async () => {
      bridge.kill('SIGKILL');
      await exited;
    });
    await vi.waitFor(() => expect(existsSync(path)).toBe(true), WAIT);
    const result = await run(path, {
      nextWeight: async () => {
        await device.tell('1 holding 5 16288');
        return 1_250_000;
      },
    });
    expect(result).toMatchObject({
      kind: 'modbus',
      protocol: 'modbus-rtu',
      fits: [],
      others: [{ table: 'holding', address: 4, type: 'float32', order: 'little', bytes: 'big' }],
    });
    const text = probeText(result);
    expect(text).toContain('agrees with 2 known weights: sure.');
    expect(text).toContain('serial: { baud: 9600, parity: none, dataBits: 8, stopBits: 1 }');
    expect(text).toContain('words: { order: little, bytes: big }');
  },
);

test('a scale that sends by itself is recognised by listening, and nothing is sent to it', async () => {
  let received = 0;
  const device = await tcpDevice((bytes) => (received += bytes.length));
  const feed = setInterval(() => {
    for (const socket of device.sockets) socket.write('ST,+00000500.0  g\r\n');
  }, 10);
  onTestFinished(() => clearInterval(feed));
  const result = await run(device.address);
  expect(result).toMatchObject({ kind: 'ascii', guess: { protocol: 'a-and-d', massMg: 500_000 } });
  expect(probeText(result)).toContain('protocol: a-and-d');
  expect(received).toBe(0);
});

test('nothing goes out but reads and requests for a weight, and that nobody answers is said', async () => {
  const asked = new Set<string>();
  const device = await tcpDevice((bytes) => {
    const isTcp = bytes.length === 12 && bytes.readUInt16BE(2) === 0;
    const isRtu = bytes.length === 8 && bytes.readUInt8(0) <= 3;
    // Modbus TCP has its function at 7, RTU at 1.
    if (isTcp || isRtu) asked.add(`function ${bytes.readUInt8(isTcp ? 7 : 1)}`);
    else asked.add(bytes.toString('latin1').replace(/^\r\n(?=.)/, ''));
  });
  const result = await run(device.address, { timeoutMs: 30, listenMs: 10 });
  expect(result.kind).toBe('nothing');
  expect([...asked].toSorted()).toEqual(
    [
      '\r\n',
      '\u001BP\r\n',
      '1',
      '2',
      '3',
      'IP\r\n',
      'Q\r\n',
      'RG\r\n',
      'SI\r\n',
      'function 3',
    ].toSorted(),
  );
  const text = probeText(result);
  expect(text).toContain('Nothing was found');
  expect(text).toContain('A and B');
  expect(isSure(result)).toBe(false);
});

/** What is printed, put into a whole configuration: it has to be one. */
function linksIn(text: string): LinkConfig[] {
  const file = join(freshFolder(), 'agent.yaml');
  const links = text.slice(text.indexOf('links:'));
  writeFileSync(
    file,
    `agent: { id: a, secret: s }\nbroker: mqtt://127.0.0.1:1\ndataDir: data\n${links}`,
  );
  return [...readConfig(file).links];
}

const FRAMES = {
  'mt-sics': 'S S     500.00 g\r\n',
  'a-and-d': 'ST,+00000500.0  g\r\n',
  cas: `ST,GS,2${String.fromCharCode(0xc4)},  0500.0  g\r\n`,
  ohaus: '    500.0 g     \r\n',
  sbi: '+    500.0 g  \r\n',
} as const;

test.each([
  ['mt-sics', 'SI\r\n', {}],
  ['a-and-d', 'SI\r\n', { mode: 'polled', command: 'SI', tare: 'locked' }],
  ['a-and-d', 'RG\r\n', { mode: 'polled', command: 'RG', tare: 'locked' }],
  ['cas', '2', { mode: 'polled', device: 2 }],
  ['ohaus', 'IP\r\n', { mode: 'polled', command: 'IP', tare: 'locked' }],
  ['sbi', '\u001BP\r\n', { mode: 'polled', tare: 'locked' }],
] as const)('TCP: %s that answers to %j is found by asking', async (protocol, request, keys) => {
  const device = await tcpDevice((bytes, socket) => {
    if (bytes.toString('latin1').replace(/^\r\n(?=.)/, '') === request)
      socket.write(FRAMES[protocol], 'latin1');
  });
  const result = await run(device.address, { timeoutMs: 100, listenMs: 10 });
  expect(result).toMatchObject({ kind: 'ascii', guess: { protocol, massMg: 500_000 } });
  expect(isSure(result)).toBe(true);
  expect(linksIn(probeText(result))).toMatchObject([{ protocol, ...keys }]);
});

describe.skipIf(!requireProgram('python3'))('on a serial line whose scale minds the speed', () => {
  test('seven bits and even parity are told by the eighth bit, and the scale is asked in them', async () => {
    const frame = FRAMES['a-and-d'];
    const scale = { baud: 19_200, eighthBit: 'even', request: 'Q\r\n', frame } as const;
    const result = await run(await serialScale(scale), { units: [1], timeoutMs: 60, listenMs: 10 });
    expect(result).toMatchObject({ kind: 'ascii', guess: { protocol: 'a-and-d' } });
    expect(linksIn(probeText(result))).toMatchObject([
      {
        protocol: 'a-and-d',
        mode: 'polled',
        command: 'Q',
        serial: { baud: 19_200, parity: 'even', dataBits: 7, stopBits: 1 },
        scales: [{ divisionMg: 100 }],
      },
    ]);
  });

  test.each([
    ['ohaus', 'odd', { parity: 'odd', dataBits: 7, stopBits: 1 }],
    ['sbi', 'stop', { parity: 'none', dataBits: 7, stopBits: 2 }],
    ['mt-sics', 'data', { parity: 'none', dataBits: 8, stopBits: 1 }],
  ] as const)(
    '%s that sends by itself is told by listening: %s',
    async (protocol, eighthBit, serial) => {
      const scale = { baud: 19_200, eighthBit, request: null, frame: FRAMES[protocol] };
      const result = await run(await serialScale(scale), {
        units: [1],
        timeoutMs: 30,
        listenMs: 150,
      });
      expect(result).toMatchObject({ kind: 'ascii', guess: { protocol } });
      expect(linksIn(probeText(result))).toMatchObject([
        { protocol, serial: { baud: 19_200, ...serial } },
      ]);
    },
  );
});
