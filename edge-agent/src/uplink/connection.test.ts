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

const ACCEPTED = Uint8Array.of(0x20, 2, 0, 0);

const CONNECT = 0x10;
const SUBSCRIBE = 0x82;

async function listener(onSocket: (socket: Socket) => void): Promise<string> {
  const server = createServer(onSocket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return `mqtt://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
}

function connectionTo(broker: string): {
  readonly connection: Connection;
  faults: () => unknown[];
} {
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
  return {
    connection,
    faults: () => warn.mock.calls.map(([details]) => (details as { fault?: unknown }).fault),
  };
}

test('the newest fault is told, each once, and a refused login says where it is mended', async () => {
  let attempts = 0;
  const broker = await listener((socket) => {
    attempts += 1;
    if (attempts === 1) socket.destroy();
    else socket.once('data', () => socket.end(NOT_AUTHORIZED));
  });
  const { connection, faults } = connectionTo(broker);
  await vi.waitFor(() => expect(attempts).toBeGreaterThan(3), WAIT);
  const login = 'Connection refused: Not authorized: are agent.id and agent.secret right?';
  expect(connection.fault).toBe(login);
  expect(faults()).toHaveLength(2);
  expect(faults()[1]).toBe(login);
});

test('a server that is no broker is told as such', async () => {
  const broker = await listener((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  const { connection } = connectionTo(broker);
  await vi.waitFor(() => expect(connection.fault).toContain('does not speak MQTT'), WAIT);
});

test('a broker that keeps the receipts away is told as such, not as one that hangs up', async () => {
  let attempts = 0;
  const broker = await listener((socket) => {
    attempts += 1;
    socket.on('data', (bytes: Buffer) => {
      if (bytes[0] === CONNECT) socket.write(ACCEPTED);
      // SUBACK with the same packet id: refused (MQTT 3.1.1, 3.9).
      if (bytes[0] === SUBSCRIBE)
        socket.write(Uint8Array.of(0x90, 3, ...bytes.subarray(2, 4), 0x80));
    });
  });
  const { connection } = connectionTo(broker);
  await vi.waitFor(() => expect(attempts).toBeGreaterThan(1), WAIT);
  expect(connection.fault).toMatch(/^may not subscribe to its receipts: /);
});

test('a broker that has fallen silent does not hold up the end beyond its deadline', async () => {
  const sockets: Socket[] = [];
  let subscribed = false;
  const broker = await listener((socket) => {
    sockets.push(socket);
    socket.on('data', (bytes: Buffer) => {
      if (bytes[0] === CONNECT) socket.write(ACCEPTED);
      subscribed ||= bytes[0] === SUBSCRIBE;
    });
  });
  const { connection } = connectionTo(broker);
  await vi.waitFor(() => expect(subscribed).toBe(true), WAIT);
  await connection.stop(100);
  await vi.waitFor(() => expect(sockets.every(({ destroyed }) => destroyed)).toBe(true), WAIT);
  expect(sockets).toHaveLength(1);
});
