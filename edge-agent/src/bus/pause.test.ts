import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Socket } from 'node:net';
import { systemClock } from '#shared/clock.ts';
import { binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { Bus } from './bus.ts';
import { modbusDriver, type ModbusReads } from '../scale/modbus.ts';
import { withCrc } from '../scale/modbus-frame.ts';
import { slavesOf, type BinPoint, type PolledSlave } from '../scale/modbus-points.ts';
import type { SensorConfig } from '../scale/sensor-config.ts';
import { tcpDevice } from '../testing/tcp-device.ts';

const TOO_SOON_MS = 50;

type Protocol = 'modbus-tcp' | 'modbus-rtu-over-tcp';

/** One register of value 7, whatever was asked for. */
function answerTo(request: Buffer, protocol: Protocol): Buffer {
  if (protocol === 'modbus-rtu-over-tcp') {
    return withCrc(Buffer.from([request.readUInt8(0), 3, 2, 0, 7]));
  }
  return Buffer.concat([
    request.subarray(0, 2),
    Buffer.from([0, 0, 0, 5, request.readUInt8(6), 3, 2, 0, 7]),
  ]);
}

/** A device that is deaf for a while after each of its answers, as slow indicators are. */
async function deafDevice(
  protocol: Protocol,
): Promise<{ readonly address: string; readonly unheard: () => number }> {
  let hearsAgainAt = 0;
  let unheard = 0;
  const { address } = await tcpDevice((request, socket) => {
    if (performance.now() < hearsAgainAt) unheard += 1;
    else {
      socket.write(answerTo(request, protocol));
      hearsAgainAt = performance.now() + TOO_SOON_MS;
    }
  });
  return { address, unheard: () => unheard };
}

/** Two registers far from each other: a read takes two requests, the second right after the first. */
function slaveOf(unit: number): PolledSlave {
  const sensors = [0, 50].map((address): SensorConfig => ({
    bin: binId(`bin-${unit}-${address}`),
    unit,
    pollMs: 20,
    kind: 'count',
    table: 'holding',
    address,
    type: 'uint16',
    words: { order: 'big', bytes: 'big' },
    maxRegisters: 125,
  }));
  const [slave] = slavesOf({ scales: [], sensors });
  if (slave === undefined) throw new Error('no slave');
  return slave;
}

interface Asked {
  readonly bus: Bus<PolledSlave, ModbusReads<BinPoint>>;
  /** Reads in a row that were answered, the latest ones. */
  readonly inARow: () => number;
}

function ask(
  protocol: Protocol,
  address: string,
  pauses: { readonly pauseMs?: number; readonly pauseAfterConnectMs?: number } = {},
): Asked {
  let inARow = 0;
  // Where nothing is to be learned from silence, no stall of this machine may pass for it.
  const isConfigured = Math.max(pauses.pauseMs ?? 0, pauses.pauseAfterConnectMs ?? 0) > 0;
  const timeoutMs = isConfigured ? 10_000 : 150;
  const bus = new Bus({
    name: 'hall-1',
    driver: modbusDriver<BinPoint>({ protocol, address, timeoutMs }),
    timeoutMs,
    ...pauses,
    scales: [slaveOf(1)],
    clock: systemClock,
    log: createLog('agent', 'silent'),
    onRead: (_, reads) => {
      const isAnswered = !('ok' in reads) && reads.every(({ read }) => read.ok);
      inARow = isAnswered ? inARow + 1 : 0;
    },
  });
  onTestFinished(() => bus.stop());
  bus.start();
  return { bus, inARow: () => inARow };
}

describe.each(['modbus-tcp', 'modbus-rtu-over-tcp'] as const)('%s', (protocol) => {
  test('a slave that is deaf after its answers is read as soon as its pause is learned', async () => {
    const { address, unheard } = await deafDevice(protocol);
    const { bus, inARow } = ask(protocol, address);
    await vi.waitFor(() => {
      expect(bus.snapshot().slaves[0]?.pause?.source).toBe('learned');
      expect(inARow()).toBeGreaterThan(10);
    }, WAIT);
    expect(unheard()).toBeGreaterThan(0);
  });

  test('a configured pause is kept from the first request on', async () => {
    const { address, unheard } = await deafDevice(protocol);
    const { bus, inARow } = ask(protocol, address, { pauseMs: 2 * TOO_SOON_MS });
    await vi.waitFor(() => expect(inARow()).toBeGreaterThan(10), WAIT);
    expect(unheard()).toBe(0);
    expect(bus.snapshot().slaves[0]).toMatchObject({
      pause: { ms: 2 * TOO_SOON_MS, source: 'configured' },
    });
  });

  test('where the configuration says that no pause is needed, none is learned', async () => {
    const { address, unheard } = await deafDevice(protocol);
    const { bus } = ask(protocol, address, { pauseMs: 0 });
    await vi.waitFor(() => expect(unheard()).toBeGreaterThan(5), WAIT);
    expect(bus.snapshot().slaves[0]?.pause).toBeNull();
  });
});

/** A gateway that hangs up on who asks before it is ready; notes how soon it was asked. */
async function slowGateway(): Promise<{ readonly address: string; readonly asked: number[] }> {
  const asked: number[] = [];
  const openedAt = new Map<Socket, number>();
  const { address } = await tcpDevice(
    (request, socket) => {
      const sinceMs = performance.now() - (openedAt.get(socket) ?? 0);
      asked.push(sinceMs);
      if (sinceMs < TOO_SOON_MS) socket.resetAndDestroy();
      else socket.write(answerTo(request, 'modbus-tcp'));
    },
    (socket) => openedAt.set(socket, performance.now()),
  );
  return { address, asked };
}

describe('after a connection', () => {
  test('the pause that a gateway needs is learned', async () => {
    const { address, asked } = await slowGateway();
    const { bus, inARow } = ask('modbus-tcp', address);
    await vi.waitFor(() => expect(inARow()).toBeGreaterThan(10), WAIT);
    // A machine under load may have paused by itself.
    const wasEverSoon = asked.some((sinceMs) => sinceMs < TOO_SOON_MS);
    expect(bus.snapshot().pauseAfterConnect !== null).toBe(wasEverSoon);
  });

  test('a configured pause is kept from the first connection on', async () => {
    const { address, asked } = await slowGateway();
    const pauses = { pauseAfterConnectMs: 2 * TOO_SOON_MS };
    const { bus, inARow } = ask('modbus-tcp', address, pauses);
    await vi.waitFor(() => expect(inARow()).toBeGreaterThan(10), WAIT);
    expect(Math.min(...asked)).toBeGreaterThan(TOO_SOON_MS);
    expect(bus.snapshot()).toMatchObject({
      pauseAfterConnect: { ms: 2 * TOO_SOON_MS, source: 'configured' },
    });
  });
});
