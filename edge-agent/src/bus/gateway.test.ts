import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { Bus } from './bus.ts';
import { modbusDriver } from '../scale/modbus.ts';
import { slavesOf, type BinPoint } from '../scale/modbus-points.ts';
import type { SensorConfig } from '../scale/sensor-config.ts';
import { tcpDevice } from '../testing/tcp-device.ts';

/** Cheap gateways have as few as two places, and count one that is given up until it is closed. */
test('a gateway never sees two connections, however often its line is opened anew', async () => {
  let open = 0;
  let most = 0;
  let connections = 0;
  const { address } = await tcpDevice(
    () => undefined,
    (socket) => {
      connections += 1;
      open += 1;
      most = Math.max(most, open);
      // The agent's end of the connection; the gateway keeps its own until then.
      socket.once('end', () => (open -= 1));
    },
  );
  const sensors = [1, 2, 3, 4].map((unit): SensorConfig => ({
    bin: binId(`bin-${unit}`),
    unit,
    pollMs: 50,
    kind: 'count',
    table: 'holding',
    address: 0,
    type: 'uint16',
    words: { order: 'big', bytes: 'big' },
    maxRegisters: 125,
  }));
  const bus = new Bus({
    name: 'hall-1',
    driver: modbusDriver<BinPoint>({ protocol: 'modbus-tcp', address, timeoutMs: 50 }),
    timeoutMs: 50,
    scales: slavesOf({ scales: [], sensors }),
    clock: systemClock,
    log: createLog('agent', 'silent'),
    onRead: () => undefined,
  });
  onTestFinished(() => bus.stop());
  bus.start();
  await vi.waitFor(() => expect(connections).toBeGreaterThanOrEqual(3), WAIT);
  expect(most).toBe(1);
});
