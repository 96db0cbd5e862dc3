import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { agentId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { Connection } from './connection.ts';

/** CONNACK: not authorized (MQTT 3.1.1, 3.2). */
const NOT_AUTHORIZED = Uint8Array.of(0x20, 2, 0, 5);

async function listener(onSocket: (socket: Socket) => void): Promise<string> {
  const server = createServer(onSocket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return `mqtt://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
}

test('the newest fault is told, each once, and a refused login says where it is mended', async () => {
  let attempts = 0;
  const broker = await listener((socket) => {
    attempts += 1;
    if (attempts === 1) socket.destroy();
    else socket.once('data', () => socket.end(NOT_AUTHORIZED));
  });
  const log = createLog('agent', 'silent');
  const warn = vi.spyOn(log, 'warn');
  const connection = new Connection({
    broker,
    agent: { id: agentId('acme-north'), secret: 'mistyped' },
    clock: systemClock,
    log,
    onUp: () => {},
    onDown: () => {},
    onMessage: () => {},
  });
  onTestFinished(() => connection.stop(100));
  connection.start();
  await vi.waitFor(() => expect(attempts).toBeGreaterThan(3), WAIT);
  const login = 'Connection refused: Not authorized: are agent.id and agent.secret right?';
  expect(connection.fault).toBe(login);
  const faults = warn.mock.calls.map(([details]) => (details as { fault?: unknown }).fault);
  expect(faults).toHaveLength(2);
  expect(faults[1]).toBe(login);
});
