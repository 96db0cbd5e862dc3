import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { requireProgram } from '#shared/testing/programs.ts';
import { freshFolder } from '../testing/folder.ts';
import { modbusDevice, requirePymodbus } from '../testing/pymodbus.ts';
import { tcpDevice } from '../testing/tcp-device.ts';
import { modbusDriver, type ModbusLink, type ModbusScale } from './modbus.ts';
import type { ScaleSession } from './port.ts';
import { loadProfile } from './profile.ts';

const first: ModbusScale = { unit: 1, profile: loadProfile('generic-int32'), countMg: 100 };
const second: ModbusScale = { unit: 2, profile: loadProfile('dini-argeo-dgt'), countMg: 1_000 };

const UNITS = {
  1: { holding: [0xffff, 0xff85, 1] },
  2: { input: [0, 4_711, 0, 0, 0b100] },
};

async function open(
  protocol: ModbusLink['protocol'],
  address: string,
  timeoutMs = 2_000,
): Promise<ScaleSession<ModbusScale>> {
  const session = await modbusDriver({ protocol, address, timeoutMs }).open();
  onTestFinished(() => session.close());
  return session;
}

/** A serial port whose other end is a socket; `socat` goes with the test. */
async function serialTo(port: number): Promise<string> {
  const path = join(freshFolder(), 'tty');
  const cable = spawn('socat', [`PTY,link=${path},raw,echo=0`, `TCP:127.0.0.1:${port}`], {
    stdio: 'ignore',
  });
  const exited = once(cable, 'exit');
  onTestFinished(async () => {
    cable.kill('SIGKILL');
    await exited;
  });
  await vi.waitFor(() => expect(existsSync(path)).toBe(true), { timeout: 5_000 });
  return path;
}

const LINES: readonly (readonly [ModbusLink['protocol'], 'tcp' | 'rtu'])[] = [
  ['modbus-tcp', 'tcp'],
  ['modbus-rtu-over-tcp', 'rtu'],
  ...(requireProgram('socat') ? ([['modbus-rtu', 'rtu']] as const) : []),
];

describe.skipIf(!requirePymodbus()).each(LINES)('%s against pymodbus', (protocol, framing) => {
  async function addressOf(port: number): Promise<string> {
    return protocol === 'modbus-rtu' ? serialTo(port) : `127.0.0.1:${port}`;
  }

  test('reads both tables of two units on one line, and follows their changes', async () => {
    const device = await modbusDevice(framing, UNITS);
    const session = await open(protocol, await addressOf(device.port));
    expect(await session.read(first)).toEqual({ ok: true, massMg: -12_300, stable: true });
    expect(await session.read(second)).toEqual({ ok: true, massMg: 4_711_000, stable: true });
    await device.tell('1 holding 2 2');
    expect(await session.read(first)).toMatchObject({ ok: false, quality: 'overload' });
    await device.tell('2 input 4 2');
    expect(await session.read(second)).toMatchObject({ massMg: -4_711_000, stable: false });
  });

  test('a register that does not exist is a fault of the configuration', async () => {
    const device = await modbusDevice(framing, UNITS);
    const session = await open(protocol, await addressOf(device.port));
    const wrong = { ...second, unit: 1 };
    expect(await session.read(wrong)).toMatchObject({ ok: false, quality: 'config-error' });
    expect(await session.read(first)).toMatchObject({ ok: true });
  });

  test('a silent unit fails alone, in time', async () => {
    const device = await modbusDevice(framing, UNITS);
    const session = await open(protocol, await addressOf(device.port), 200);
    await device.tell('1 silent');
    await expect(session.read(first)).rejects.toMatchObject({ code: 'scale-silent' });
    await session.drain();
    expect(await session.read(second)).toMatchObject({ ok: true, massMg: 4_711_000 });
  });
});

/** The answer of generic-int32 with a count and the bit for stable, as RTU of unit 1. */
const RTU_ANSWERS = {
  // Counts 5 and 6; CRC-16/MODBUS computed by pymodbus.utilities.computeCRC.
  five: Buffer.from('010306000000050001F0B4', 'hex'),
  six: Buffer.from('01030600000006000100B4', 'hex'),
};

/** The answer of generic-int32 with a count, as Modbus TCP of unit 1. */
const tcpAnswer = (request: Buffer, count: number): Buffer =>
  Buffer.concat([request.subarray(0, 2), Buffer.from([0, 0, 0, 9, 1, 3, 6, 0, 0, 0, count, 0, 1])]);

describe('a line that misbehaves', () => {
  test('a late answer is not taken for the next one', async () => {
    const late: Socket[] = [];
    const { address } = await tcpDevice((_, socket) => {
      if (late.push(socket) > 1) socket.write(RTU_ANSWERS.six);
    });
    const session = await open('modbus-rtu-over-tcp', address, 100);
    await expect(session.read(first)).rejects.toMatchObject({ code: 'scale-silent' });
    const drained = session.drain();
    late[0]?.write(RTU_ANSWERS.five);
    await drained;
    expect(await session.read(first)).toMatchObject({ massMg: 600 });
  });

  test('a late answer of Modbus TCP is told by its transaction', async () => {
    const requests: Buffer[] = [];
    const { address } = await tcpDevice((bytes, socket) => {
      const [before] = requests;
      requests.push(Buffer.from(bytes));
      if (before === undefined) return;
      socket.write(tcpAnswer(before, 5));
      socket.write(tcpAnswer(bytes, 6));
    });
    const session = await open('modbus-tcp', address, 100);
    await expect(session.read(first)).rejects.toMatchObject({ code: 'scale-silent' });
    await session.drain();
    expect(await session.read(first)).toMatchObject({ massMg: 600 });
  });

  test.each([
    ['a broken checksum', Buffer.from('010306000000050001F0B5', 'hex')],
    ['an answer of another unit', Buffer.from('020306000000050001E444', 'hex')],
    ['half an answer', RTU_ANSWERS.five.subarray(0, 6)],
    ['noise', Buffer.alloc(40, 0xa5)],
  ])('%s is a failure, never a weight, and the next answer is read', async (_, bytes) => {
    let requests = 0;
    const { address } = await tcpDevice((__, socket) => {
      requests += 1;
      socket.write(requests === 1 ? bytes : RTU_ANSWERS.six);
    });
    const session = await open('modbus-rtu-over-tcp', address, 100);
    await expect(session.read(first)).rejects.toMatchObject({ code: 'scale-silent' });
    await session.drain();
    expect(await session.read(first)).toMatchObject({ massMg: 600 });
  });

  test('an answer is read however its bytes are split', async () => {
    for (let cut = 1; cut < RTU_ANSWERS.five.length; cut += 1) {
      const { address } = await tcpDevice((_, socket) => {
        socket.write(RTU_ANSWERS.five.subarray(0, cut), () => {
          setImmediate(() => socket.write(RTU_ANSWERS.five.subarray(cut)));
        });
      });
      const session = await open('modbus-rtu-over-tcp', address, 1_000);
      expect(await session.read(first)).toMatchObject({ massMg: 500 });
      session.close();
    }
  });

  test.each(['modbus-tcp', 'modbus-rtu-over-tcp'] as const)(
    '%s: a connection that breaks in the middle of a request ends it at once',
    async (protocol) => {
      const { address } = await tcpDevice((_, socket) => socket.resetAndDestroy());
      const session = await open(protocol, address, 20_000);
      await expect(session.read(first)).rejects.toMatchObject({ code: 'link-down' });
      await expect(session.read(first)).rejects.toMatchObject({ code: 'link-down' });
    },
  );

  test('an address where nobody listens is a link that is down', async () => {
    const driver = modbusDriver({ protocol: 'modbus-tcp', address: '127.0.0.1:1', timeoutMs: 500 });
    await expect(driver.open()).rejects.toMatchObject({ code: 'link-down' });
    const serial = modbusDriver({ protocol: 'modbus-rtu', address: '/dev/none', timeoutMs: 500 });
    await expect(serial.open()).rejects.toMatchObject({ code: 'link-down' });
  });
});
