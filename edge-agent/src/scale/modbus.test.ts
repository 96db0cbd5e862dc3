import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { binId } from '#shared/ids.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import type { BinRead } from '../core/scale-read.ts';
import { freshFolder } from '../testing/folder.ts';
import { modbusDevice, requirePymodbus } from '../testing/pymodbus.ts';
import { tcpDevice } from '../testing/tcp-device.ts';
import { modbusDriver, type ModbusLink, type ModbusReads } from './modbus.ts';
import type { ModbusScaleConfig } from './modbus-config.ts';
import { slavesOf, type BinPoint, type PolledSlave } from './modbus-points.ts';
import type { ScaleSession } from './port.ts';
import { loadProfile } from './profile.ts';
import type { SensorConfig } from './sensor-config.ts';

/** A slave with one scale. */
function slave(unit: number, profile: string, countMg?: number): PolledSlave {
  const scale = { bin: binId('a1'), unit, pollMs: 1_000, divisionMg: 1, countMg };
  return only({ scales: [{ ...scale, profile: loadProfile(profile) }] });
}

function only(bins: {
  readonly scales?: readonly ModbusScaleConfig[];
  readonly sensors?: readonly SensorConfig[];
}): PolledSlave {
  const [one] = slavesOf({ scales: [], sensors: [], ...bins });
  if (one === undefined) throw new Error('no slave');
  return one;
}

const first = slave(1, 'generic-int32', 100);
const second = slave(2, 'dini-argeo-dgt', 1_000);

type Session = ScaleSession<PolledSlave, ModbusReads<BinPoint>>;

/** What the only scale of a slave gives. */
async function readOne(session: Session, one: PolledSlave): Promise<BinRead | undefined> {
  return (await session.read(one))[0]?.read;
}

const UNITS = {
  1: { holding: [0xffff, 0xff85, 1] },
  2: { input: [0, 4_711, 0, 0, 0b100] },
};

async function open(
  protocol: ModbusLink['protocol'],
  address: string,
  timeoutMs = 60_000,
): Promise<Session> {
  const session = await modbusDriver<BinPoint>({ protocol, address, timeoutMs }).open();
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
  await vi.waitFor(() => expect(existsSync(path)).toBe(true), WAIT);
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
    expect(await readOne(session, first)).toEqual({ ok: true, massMg: -12_300, stable: true });
    expect(await readOne(session, second)).toEqual({ ok: true, massMg: 4_711_000, stable: true });
    await device.tell('1 holding 2 2');
    expect(await readOne(session, first)).toMatchObject({ ok: false, quality: 'overload' });
    await device.tell('2 input 4 2');
    expect(await readOne(session, second)).toMatchObject({ massMg: -4_711_000, stable: false });
  });

  test('a register that does not exist is a fault of the configuration', async () => {
    const device = await modbusDevice(framing, UNITS);
    const session = await open(protocol, await addressOf(device.port));
    const wrong = { ...second, unit: 1 };
    expect(await readOne(session, wrong)).toMatchObject({ ok: false, quality: 'config-error' });
    expect(await readOne(session, first)).toMatchObject({ ok: true });
  });

  test('reads indicators of five makers and a float, each by its profile', async () => {
    const header = Array.from({ length: 3_000 }, () => 0);
    const device = await modbusDevice(framing, {
      1: { holding: [0, 0, 0, 0, 0, 0, 0x880, 1, 2, 0, 0, 0, 0, 0x000a, 0] },
      2: { input: [0xffff, 0xfff6, 0, 0, 0, 0, 0, 0, 0, 0] },
      3: { holding: [...header, 30, 112, 105, 1, 0x40, 0, 0, 0, 0x42f6, 0xe979] },
      4: { holding: [0, 0, 0b110, 0, 0, 1, 0] },
      // Net 1.5 kg, gross -12.34 kg; weight good, zeroed at power-up, in motion.
      5: { holding: [0x3fc0, 0, 0xc145, 0x70a4, 0b1011_0000_0000_0000] },
      6: { holding: [0x4145, 0x70a4, 1] },
    });
    const session = await open(protocol, await addressOf(device.port));
    const weights = [
      await readOne(session, slave(1, 'laumas-tlb')),
      await readOne(session, slave(2, 'rinstrum-c500', 100)),
      await readOne(session, slave(3, 'siwarex-wp251', 1_000_000)),
      await readOne(session, slave(4, 'pt113', 10)),
      await readOne(session, slave(5, 'tuna-id551pn', 1_000_000)),
      await readOne(session, slave(6, 'generic-float32', 1_000_000)),
    ];
    expect(weights).toEqual([
      { ok: true, massMg: -655_380_000, stable: true },
      { ok: true, massMg: -1_000, stable: true },
      { ok: true, massMg: 123_456_001, stable: true },
      { ok: true, massMg: 655_360, stable: false },
      { ok: true, massMg: -12_340_000, stable: false },
      { ok: true, massMg: 12_340_000, stable: true },
    ]);
  });

  test('sensors of one unit share a request, and one that is not there spoils no other', async () => {
    const device = await modbusDevice(framing, { 9: { input: [42, 12_000, 0b100] } });
    const session = await open(protocol, await addressOf(device.port));
    const at = { unit: 9, pollMs: 1_000, table: 'input', maxRegisters: 125 } as const;
    const words = { order: 'big', bytes: 'big' } as const;
    const register = { ...at, type: 'uint16', words } as const;
    const levels = [
      { at: 4_000, massMg: 0 },
      { at: 20_000, massMg: 800_000_000 },
    ];
    const module = only({
      sensors: [
        { ...register, bin: binId('count'), kind: 'count', address: 0 },
        { ...register, bin: binId('level'), kind: 'level', address: 1, levels, divisionMg: 1 },
        { ...at, bin: binId('bin'), kind: 'presence', address: 2, bit: 2, inverted: false },
        { ...register, bin: binId('gone'), kind: 'count', address: 3 },
      ],
    });
    for (const round of [1, 2]) {
      const reads = await session.read(module);
      expect(
        Object.fromEntries(reads.map(({ point, read }) => [point.bin, read])),
        `${round}`,
      ).toEqual({
        count: { ok: true, value: 42 },
        level: { ok: true, massMg: 400_000_000, stable: true },
        bin: { ok: true, value: 1_000 },
        gone: { ok: false, quality: 'config-error', why: expect.stringContaining('exception 2') },
      });
    }
  });

  test.each([
    ['stranger', 'frame-broken'],
    ['short', 'frame-broken'],
    ['long', 'frame-broken'],
  ])('an answer that pymodbus made %s is a failure, and the next is read', async (kind, code) => {
    const device = await modbusDevice(framing, UNITS);
    const session = await open(protocol, await addressOf(device.port), 1_000);
    await device.tell(`1 spoils ${kind}`);
    await expect(readOne(session, first)).rejects.toMatchObject({ code });
    await session.drain();
    await device.tell('1 spoils nothing');
    expect(await readOne(session, first)).toEqual({ ok: true, massMg: -12_300, stable: true });
    await device.tell('1 spoils exception');
    expect(await readOne(session, first)).toMatchObject({ ok: false, quality: 'comm-error' });
  });

  test('a silent unit fails alone, in time', async () => {
    const device = await modbusDevice(framing, UNITS);
    const session = await open(protocol, await addressOf(device.port), 2_000);
    await device.tell('1 silent');
    await expect(readOne(session, first)).rejects.toMatchObject({ code: 'scale-silent' });
    await session.drain();
    expect(await readOne(session, second)).toMatchObject({ ok: true, massMg: 4_711_000 });
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

const tcpException = (request: Buffer, exception: number): Buffer =>
  Buffer.concat([request.subarray(0, 2), Buffer.from([0, 0, 0, 3, 1, 0x83, exception])]);

const tcpWords = (request: Buffer, count: number): Buffer => {
  const head = [0, 0, 0, 3 + 2 * count, 1, 3, 2 * count];
  return Buffer.concat([request.subarray(0, 2), Buffer.from(head), Buffer.alloc(2 * count)]);
};

describe('a line that misbehaves', () => {
  test('a late answer is not taken for the next one', async () => {
    const late: Socket[] = [];
    const { address } = await tcpDevice((_, socket) => {
      if (late.push(socket) > 1) socket.write(RTU_ANSWERS.six);
    });
    const session = await open('modbus-rtu-over-tcp', address, 1_000);
    await expect(readOne(session, first)).rejects.toMatchObject({ code: 'scale-silent' });
    const drained = session.drain();
    late[0]?.write(RTU_ANSWERS.five);
    await drained;
    expect(await readOne(session, first)).toMatchObject({ massMg: 600 });
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
    const session = await open('modbus-tcp', address, 1_000);
    await expect(readOne(session, first)).rejects.toMatchObject({ code: 'scale-silent' });
    await session.drain();
    expect(await readOne(session, first)).toMatchObject({ massMg: 600 });
  });

  test.each([
    ['a broken checksum', Buffer.from('010306000000050001F0B5', 'hex')],
    ['two answers in one', Buffer.concat([RTU_ANSWERS.five, RTU_ANSWERS.six])],
    ['an answer of another unit', Buffer.from('020306000000050001E444', 'hex')],
    ['half an answer', RTU_ANSWERS.five.subarray(0, 6)],
    ['noise', Buffer.alloc(40, 0xa5)],
  ])('%s is a failure, never a weight, and the next answer is read', async (_, bytes) => {
    let requests = 0;
    const { address } = await tcpDevice((__, socket) => {
      requests += 1;
      socket.write(requests === 1 ? bytes : RTU_ANSWERS.six);
    });
    const session = await open('modbus-rtu-over-tcp', address, 1_000);
    await expect(readOne(session, first)).rejects.toMatchObject({ code: 'frame-broken' });
    await session.drain();
    expect(await readOne(session, first)).toMatchObject({ massMg: 600 });
  });

  test('TCP: half an answer gives the connection up, so that nothing is read shifted', async () => {
    const { address } = await tcpDevice((bytes, socket) => {
      socket.write(tcpAnswer(bytes, 5).subarray(0, -2));
    });
    const session = await open('modbus-tcp', address, 1_000);
    await expect(readOne(session, first)).rejects.toMatchObject({ code: 'link-down' });
    await expect(readOne(session, first)).rejects.toMatchObject({ code: 'link-down' });
  });

  test.each([
    ['a length beyond all frames', [0, 1, 0, 0, 0xff, 0xff, 1, 3]],
    ['a length below all frames', [0, 1, 0, 0, 0, 1, 1, 3]],
    ['another protocol', [0, 1, 0, 7, 0, 9, 1, 3]],
  ])('TCP: a header with %s ends the connection instead of stalling it', async (_, bytes) => {
    const { address } = await tcpDevice((__, socket) => socket.write(Buffer.from(bytes)));
    const session = await open('modbus-tcp', address);
    await expect(readOne(session, first)).rejects.toMatchObject({ code: 'link-down' });
  });

  test.each([
    ['another unit', (answer: Buffer): void => void answer.writeUInt8(2, 6)],
    ['another function', (answer: Buffer): void => void answer.writeUInt8(4, 7)],
    ['another count of bytes', (answer: Buffer): void => void answer.writeUInt8(4, 8)],
  ])('TCP: an answer of %s is a failure, never a weight', async (_, spoil) => {
    const { address } = await tcpDevice((bytes, socket) => {
      const answer = tcpAnswer(bytes, 5);
      spoil(answer);
      socket.write(answer);
    });
    const session = await open('modbus-tcp', address);
    await expect(readOne(session, first)).rejects.toMatchObject({ code: 'frame-broken' });
  });

  test('TCP: an answer to no request of ours is passed over', async () => {
    const { address } = await tcpDevice((bytes, socket) => {
      const stray = tcpAnswer(bytes, 4);
      stray.writeUInt16BE(4_711, 0);
      socket.write(Buffer.concat([stray, tcpAnswer(bytes, 5)]));
    });
    const session = await open('modbus-tcp', address);
    expect(await readOne(session, first)).toMatchObject({ massMg: 500 });
    expect(await readOne(session, first)).toMatchObject({ massMg: 500 });
  });

  test.each([
    [5, 'slave-busy'],
    [6, 'slave-busy'],
    [11, 'gateway-silent'],
  ])('exception %i is to be asked again', async (exception, code) => {
    const { address } = await tcpDevice((bytes, socket) =>
      socket.write(tcpException(bytes, exception)),
    );
    const session = await open('modbus-tcp', address);
    await expect(readOne(session, first)).rejects.toMatchObject({ code, retry: 'now' });
  });

  test.each([
    [1, 'config-error'],
    [2, 'config-error'],
    [3, 'config-error'],
    [4, 'comm-error'],
    [10, 'comm-error'],
  ])('exception %i is a %s', async (exception, quality) => {
    const { address } = await tcpDevice((bytes, socket) =>
      socket.write(tcpException(bytes, exception)),
    );
    const session = await open('modbus-tcp', address);
    expect(await readOne(session, first)).toMatchObject({ ok: false, quality });
  });

  test('a request that was refused is split once, and asked for in parts from then on', async () => {
    const asked: string[] = [];
    const { address } = await tcpDevice((bytes, socket) => {
      const [from, count] = [bytes.readUInt16BE(8), bytes.readUInt16BE(10)];
      asked.push(`${from}+${count}`);
      socket.write(from + count > 4 && count > 2 ? tcpException(bytes, 2) : tcpWords(bytes, count));
    });
    const words = { order: 'big', bytes: 'big' } as const;
    const sensors = [0, 1, 2, 3, 4, 5].map((at): SensorConfig => ({
      bin: binId(`s${at}`),
      unit: 1,
      pollMs: 1_000,
      kind: 'count',
      table: 'holding',
      address: at,
      type: 'uint16',
      words,
      maxRegisters: 125,
    }));
    const session = await open('modbus-tcp', address);
    const module = only({ sensors });
    const reads = await session.read(module);
    expect(reads.map(({ point, read }) => [point.first, read.ok])).toEqual(
      [0, 1, 2, 3, 4, 5].map((at) => [at, true]),
    );
    expect(asked).toEqual(['0+6', '0+3', '3+3', '3+1', '4+2']);
    await session.read(module);
    expect(asked.slice(5)).toEqual(['0+3', '3+1', '4+2']);
  });

  test('an answer is read however its bytes are split', async () => {
    for (let cut = 1; cut < RTU_ANSWERS.five.length; cut += 1) {
      const { address } = await tcpDevice((_, socket) => {
        socket.write(RTU_ANSWERS.five.subarray(0, cut), () => {
          setImmediate(() => socket.write(RTU_ANSWERS.five.subarray(cut)));
        });
      });
      const session = await open('modbus-rtu-over-tcp', address, 1_000);
      expect(await readOne(session, first)).toMatchObject({ massMg: 500 });
      session.close();
    }
  });

  test.each(['modbus-tcp', 'modbus-rtu-over-tcp'] as const)(
    '%s: a connection that breaks in the middle of a request ends it at once',
    async (protocol) => {
      const { address } = await tcpDevice((_, socket) => socket.resetAndDestroy());
      const session = await open(protocol, address);
      await expect(readOne(session, first)).rejects.toMatchObject({ code: 'link-down' });
      await expect(readOne(session, first)).rejects.toMatchObject({ code: 'link-down' });
    },
  );

  test('an address where nobody listens is a link that is down', async () => {
    const driver = modbusDriver({ protocol: 'modbus-tcp', address: '127.0.0.1:1', timeoutMs: 500 });
    await expect(driver.open()).rejects.toMatchObject({ code: 'link-down' });
    const serial = modbusDriver({ protocol: 'modbus-rtu', address: '/dev/none', timeoutMs: 500 });
    await expect(serial.open()).rejects.toMatchObject({ code: 'link-down' });
  });
});
