import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { Failure, messageOf } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';

/** PEM files of a TLS listener. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Whose client certificates are believed; without it none is asked for. */
  readonly ca?: string | undefined;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Sockets that are handed on ready to be read from: with TLS, after its handshake. */
export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

export interface ListenerOptions extends Address {
  readonly tls?: TlsFiles | undefined;
  readonly log: Log;
  readonly onSocket: (socket: Socket) => void;
}

/** Whoever has not finished the handshake by then is no agent. */
const HANDSHAKE_MS = 10_000;

/** @throws Failure `port-in-use`, `address-unavailable` or `tls-unusable` */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = options.tls === undefined ? createServer() : tlsServer(options.tls, options.log);
  // Below TLS too, so that closing also ends handshakes.
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
  });
  server.on(options.tls === undefined ? 'connection' : 'secureConnection', options.onSocket);
  const { port } = await listen(server, options);
  return {
    port,
    async close() {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function tlsServer({ cert, key, ca }: TlsFiles, log: Log): Server {
  try {
    const server = createTlsServer({
      cert: readFileSync(cert),
      key: readFileSync(key),
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_MS,
      // A certificate may be shown instead of a secret; who shows none needs the secret, and who
      // shows one that is not believed is told so at login.
      ...(ca !== undefined && {
        ca: readFileSync(ca),
        requestCert: true,
        rejectUnauthorized: false,
      }),
    });
    server.on('tlsClientError', (error, socket) => {
      log.debug({ peer: socket.remoteAddress, err: error }, 'TLS handshake failed');
      socket.destroy();
    });
    return server;
  } catch (cause) {
    const message = `broker: TLS cannot be set up: ${messageOf(cause)}; check broker.tls`;
    throw new Failure('tls-unusable', message, { retry: 'never', cause });
  }
}

/** What a client showed of itself in the handshake. */
export type Certificate =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'believed'; readonly commonName: string };

export function certificateOf(socket: object): Certificate {
  if (!(socket instanceof TLSSocket)) return { kind: 'none' };
  // Node's types promise a certificate; there is none where none was asked for or shown.
  const shown = socket.getPeerCertificate() as Partial<ReturnType<TLSSocket['getPeerCertificate']>>;
  const name = shown.subject?.CN;
  if (shown.subject === undefined) return { kind: 'none' };
  if (!socket.authorized) return { kind: 'refused', why: messageOf(socket.authorizationError) };
  if (typeof name !== 'string') return { kind: 'refused', why: 'it names nobody, or several' };
  return { kind: 'believed', commonName: name };
}

async function listen(server: Server, { host, port }: Address): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(listenFailure(error, host, port));
    });
    server.listen({ host, port }, resolve);
  });
  server.on('error', () => server.close());
  return server.address() as AddressInfo;
}

function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): Failure {
  const inUse = error.code === 'EADDRINUSE';
  return new Failure(
    inUse ? 'port-in-use' : 'address-unavailable',
    inUse
      ? `broker: ${host}:${port} is in use by another program`
      : `broker: cannot listen on ${host}:${port}: ${error.message}`,
    { retry: 'never', cause: error },
  );
}
