import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A device on TCP that does what the test says with every chunk it receives. */
export async function tcpDevice(
  onData: (bytes: Buffer, socket: Socket) => void,
  onConnect: (socket: Socket) => void = () => {},
): Promise<{ readonly address: string; readonly sockets: readonly Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    onConnect(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => onData(bytes, socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return { address: `127.0.0.1:${address.port}`, sockets };
}
