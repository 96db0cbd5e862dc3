import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { profileNames } from '../scale/profile.ts';
import { freshFolder } from '../testing/folder.ts';
import { modbusDevice, requirePymodbus } from '../testing/pymodbus.ts';
import { tcpDevice } from '../testing/tcp-device.ts';
import { probe, type ProbeOptions, type ProbeResult } from './probe.ts';
import { probeText } from './text.ts';

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

test('only reads go out, and where nobody answers that is said', async () => {
  const codes = new Set<number>();
  const device = await tcpDevice((bytes) => {
    // Modbus TCP has its function at 7, RTU at 1; the shortest of either ends after 8 bytes.
    codes.add(
      bytes.readUInt16BE(2) === 0 && bytes.length === 12 ? bytes.readUInt8(7) : bytes.readUInt8(1),
    );
  });
  const result = await run(device.address, { timeoutMs: 30, listenMs: 10 });
  expect(result.kind).toBe('nothing');
  expect([...codes]).toEqual([3]);
  expect(probeText(result)).toContain('Nothing was found');
});
