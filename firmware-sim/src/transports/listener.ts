import { createServer, type Server, type Socket } from 'node:net';
import { Failure, messageOf } from '#shared/failure.ts';

/** A TCP port of a simulated link. */
export interface Listener {
  readonly port: number;
  /** Drops the clients and frees the port. May be called twice. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * @param serve wires one client; its errors and its going away are taken care of here
 * @throws Failure `port-unavailable`
 */
export async function listen(
  what: string,
  port: number,
  serve: (client: Socket) => void,
): Promise<Listener> {
  const clients = new Set<Socket>();
  const server = createServer({ noDelay: true, keepAlive: true }, (client) => {
    clients.add(client);
    // A client that resets its connection is its own business: `close` follows, the port stays.
    client.on('error', () => client.destroy());
    client.on('close', () => clients.delete(client));
    serve(client);
  });
  const bound = await bind(server, what, port);
  let closed: Promise<void> | undefined;
  return {
    port: bound,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of clients) client.destroy();
      });
      return closed;
    },
  };
}

function bind(server: Server, what: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE' ? 'is in use' : `cannot be opened: ${messageOf(cause)}`;
      const message = `${what}: port ${HOST}:${port} ${why}`;
      reject(new Failure('port-unavailable', message, { retry: 'never', cause }));
    });
    server.listen(port, HOST, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
