import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { callbackify, promisify } from 'node:util';
import { Aedes, type Client } from 'aedes';
import { Failure } from '#shared/failure.ts';
import { ID_PATTERN, agentId, type AgentId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import { MAX_BATCH_BYTES } from '#shared/wire/batch.ts';
import { mayPublish, maySubscribe } from './core/access.ts';
import { createPacketMeter } from './core/packet-meter.ts';

/** Enough for a CONNECT with a will; whoever has not proved who it is gets no more memory. */
const MAX_PACKET_BEFORE_LOGIN = 4_096;
/** A full batch and its topic. */
const MAX_PACKET = MAX_BATCH_BYTES + 1_024;
const LOGIN_TIMEOUT_MS = 10_000;
/** Starts with a character no agent's id may have. */
const INTERNAL_CLIENT = '$ingest';

export interface BrokerOptions {
  readonly host: string;
  readonly port: number;
  /** Whether this is the agent's secret. */
  readonly authenticate: (agent: AgentId, secret: string) => Promise<boolean>;
  readonly log: Log;
}

/** How to reach a broker as the client that ingest is. */
export interface BrokerAccess {
  readonly url: string;
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
}

export interface EmbeddedBroker {
  readonly address: { readonly host: string; readonly port: number };
  /** The credential of the cloud itself, made anew at each start. */
  readonly access: BrokerAccess;
  /** Ends the agent's live session, as when its secret was revoked. */
  disconnect(agent: AgentId): void;
  close(): Promise<void>;
}

/**
 * aedes in this process, for agents and for ingest, each with its credential and access rules.
 * @throws Failure `port-in-use` or `address-unavailable` where it cannot listen
 */
export async function openEmbeddedBroker(options: BrokerOptions): Promise<EmbeddedBroker> {
  const { host, log } = options;
  const internal = { name: INTERNAL_CLIENT, secret: randomBytes(32).toString('base64url') };
  const loggedIn = new WeakSet<object>();
  const broker = await Aedes.createBroker({
    connectTimeout: LOGIN_TIMEOUT_MS,
    heartbeatInterval: 60_000,
    preConnect(_client, packet, done) {
      const fault = connectFault(packet);
      if (fault !== undefined) log.warn({ client: packet.clientId, fault }, 'connection refused');
      done(fault === undefined ? null : new Error(fault), fault === undefined);
    },
    authenticate(client, username, password, done) {
      const login = callbackify(async () =>
        verify(options, internal, client.id, username, password),
      );
      login((error: Error | null, known: boolean) => {
        if (error !== null) log.error({ client: client.id, err: error }, 'login not checked');
        else if (known) loggedIn.add(client.conn);
        else log.warn({ client: client.id }, 'login refused');
        done(null, error === null && known);
      });
    },
    authorizePublish(client, packet, done) {
      const allowed = client === null || isInternal(client) || mayPublish(own(client), packet);
      if (!allowed) log.warn({ client: client.id, topic: packet.topic }, 'publish refused');
      done(allowed ? null : new Error(`may not publish ${packet.topic}`));
    },
    authorizeSubscribe(client, subscription, done) {
      const allowed = isInternal(client) || maySubscribe(own(client), subscription.topic);
      if (!allowed) {
        log.warn({ client: client.id, topic: subscription.topic }, 'subscription refused');
      }
      done(null, allowed ? subscription : null);
    },
  });
  broker.on('clientError', (client, error) => {
    log.debug({ client: client.id, err: error }, 'connection failed');
  });
  broker.on('connectionError', (_client, error) => {
    log.debug({ err: error }, 'connection failed before login');
  });
  const live = new Map<string, Client>();
  broker.on('client', (client) => live.set(client.id, client));
  broker.on('clientDisconnect', (client) => {
    if (live.get(client.id) === client) live.delete(client.id);
  });

  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
    guard(socket, () => (loggedIn.has(socket) ? MAX_PACKET : MAX_PACKET_BEFORE_LOGIN), log);
    broker.handle(socket);
  });
  const { port } = await listen(server, options).catch(async (error: unknown) => {
    await promisify(broker.close.bind(broker))();
    throw error;
  });
  return {
    address: { host, port },
    access: {
      url: `mqtt://${host.includes(':') ? `[${host}]` : host}:${port}`,
      clientId: internal.name,
      username: internal.name,
      password: internal.secret,
    },
    disconnect: (agent) => live.get(agent)?.close(),
    async close() {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await promisify(broker.close.bind(broker))();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

interface Connect {
  readonly clientId: string;
  readonly clean?: boolean | undefined;
  readonly will?: { topic: string; retain?: boolean; qos?: number } | undefined;
}

/** Why a CONNECT is refused before anyone looks at its credential. */
function connectFault({ clientId, clean, will }: Connect): string | undefined {
  if (clean === false) return 'only clean sessions: receipts replace what the broker would keep';
  if (clientId === INTERNAL_CLIENT) return undefined;
  if (!ID_PATTERN.test(clientId)) return 'the client id is no agent id';
  const { topic, retain = false, qos = 0 } = will ?? {};
  if (topic !== undefined && !mayPublish(agentId(clientId), { topic, retain, qos })) {
    return `the will may not be published on ${topic}`;
  }
  return undefined;
}

async function verify(
  { authenticate }: BrokerOptions,
  internal: { readonly name: string; readonly secret: string },
  clientId: string,
  username: string | undefined,
  password: Uint8Array | undefined,
): Promise<boolean> {
  if (username !== clientId || password === undefined) return false;
  if (clientId === internal.name) {
    const expected = new TextEncoder().encode(internal.secret);
    return password.byteLength === expected.byteLength && timingSafeEqual(password, expected);
  }
  return await authenticate(agentId(clientId), new TextDecoder().decode(password));
}

const isInternal = (client: Client): boolean => client.id === INTERNAL_CLIENT;

/** The agent of an authenticated client; its id was checked when it connected. */
const own = (client: Client): AgentId => client.id as AgentId;

/**
 * aedes has no limit on the size of a packet and gathers all of it in memory, so the socket is cut
 * where a fixed header announces too much. aedes takes its bytes by `read()`, hence this place.
 */
function guard(socket: Socket, limit: () => number, log: Log): void {
  const meter = createPacketMeter();
  const read = socket.read.bind(socket);
  socket.read = (size?: number): unknown => {
    const chunk: unknown = read(size);
    if (!(chunk instanceof Uint8Array) || meter.accepts(chunk, limit())) return chunk;
    log.warn({ peer: socket.remoteAddress, limit: limit() }, 'packet too large: connection cut');
    socket.destroy();
    return null;
  };
}

async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AddressInfo> {
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
