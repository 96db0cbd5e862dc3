import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { callbackify, promisify } from 'node:util';
import { Aedes, type Client } from 'aedes';
import { ID_PATTERN, agentId, type AgentId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import { MAX_BATCH_BYTES } from '#shared/wire/batch.ts';
import { mayPublish, mayReadAlong, maySubscribe } from './core/access.ts';
import { createPacketMeter } from './core/packet-meter.ts';
import { certificateOf, openListener, type Address, type TlsFiles } from './listener.ts';

/** Enough for a CONNECT with a will; whoever has not proved who it is gets no more memory. */
const MAX_PACKET_BEFORE_LOGIN = 4_096;
/** A full batch and its topic. */
const MAX_PACKET = MAX_BATCH_BYTES + 1_024;
const LOGIN_TIMEOUT_MS = 10_000;
/** Starts with a character no agent's id may have. */
const INTERNAL_CLIENT = '$ingest';
/** User name of people who read along, with any client id and an API key as password. */
const OBSERVER = '$observer';

export interface BrokerOptions extends Address {
  /** Agents then come over TLS only; the cloud itself by a port of this machine. */
  readonly tls?: TlsFiles | undefined;
  /** Whether this is the agent's secret. */
  readonly authenticate: (agent: AgentId, secret: string) => Promise<boolean>;
  /** Whether the agent may come in by its certificate, if believed, in place of its secret. */
  readonly isAgent: (agent: AgentId) => Promise<boolean>;
  /** Whether this API key may read along what agents and cloud say to each other. */
  readonly mayObserve: (key: string) => Promise<boolean>;
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
  readonly address: Address;
  /** The credential of the cloud itself, made anew at each start. */
  readonly access: BrokerAccess;
  /** Ends the agent's live session, as when its secret was revoked. */
  disconnect(agent: AgentId): void;
  close(): Promise<void>;
}

/**
 * aedes in this process, for agents and for ingest, each with its credential and access rules.
 * @throws Failure `port-in-use`, `address-unavailable` or `tls-unusable` where it cannot listen
 */
export async function openEmbeddedBroker(options: BrokerOptions): Promise<EmbeddedBroker> {
  const { host, log } = options;
  const internal = { name: INTERNAL_CLIENT, secret: randomBytes(32).toString('base64url') };
  const loggedIn = new WeakSet<object>();
  const observers = new WeakSet<object>();
  const trusted = new WeakSet<object>();
  const ended = new Map<string, number>();
  const broker = await Aedes.createBroker({
    connectTimeout: LOGIN_TIMEOUT_MS,
    heartbeatInterval: 60_000,
    preConnect(client, packet, done) {
      const fault = trusted.has(client.conn)
        ? strangerFault(packet)
        : connectFault(packet, options.tls !== undefined);
      if (fault !== undefined) log.warn({ client: packet.clientId, fault }, 'connection refused');
      done(fault === undefined ? null : new Error(fault), fault === undefined);
    },
    authenticate(client, username, password, done) {
      const secret = password === undefined ? undefined : new TextDecoder().decode(password);
      const login = callbackify(async () => {
        const before = ended.get(client.id);
        const fault = await verify(options, internal, client, username, secret);
        // What was checked before its sessions were ended holds no more.
        return ended.get(client.id) === before ? fault : 'its sessions were ended meanwhile';
      });
      login((error: Error | null, fault: string | null) => {
        if (error !== null) log.error({ client: client.id, err: error }, 'login not checked');
        else if (fault === null) loggedIn.add(client.conn);
        else log.warn({ client: client.id, fault }, 'login refused');
        if (error === null && fault === null && username === OBSERVER) observers.add(client);
        done(null, error === null && fault === null);
      });
    },
    authorizePublish(client, packet, done) {
      const allowed =
        client === null ||
        isInternal(client) ||
        (!observers.has(client) && mayPublish(own(client), packet));
      if (!allowed) log.warn({ client: client.id, topic: packet.topic }, 'publish refused');
      done(allowed ? null : new Error(`may not publish ${packet.topic}`));
    },
    authorizeSubscribe(client, subscription, done) {
      const { topic } = subscription;
      const allowed =
        isInternal(client) ||
        (observers.has(client) ? mayReadAlong(topic) : maySubscribe(own(client), topic));
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

  const take = (socket: Socket): void => {
    guard(socket, () => (loggedIn.has(socket) ? MAX_PACKET : MAX_PACKET_BEFORE_LOGIN), log);
    broker.handle(socket);
  };
  const closeBroker = promisify(broker.close.bind(broker));
  const closing: (() => Promise<void>)[] = [closeBroker];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0)) await end();
  };
  try {
    const listener = await openListener({ ...options, onSocket: take });
    closing.push(() => listener.close());
    let inside: Address = { host, port: listener.port };
    if (options.tls !== undefined) {
      const onSocket = (socket: Socket): void => {
        trusted.add(socket);
        take(socket);
      };
      const own = await openListener({ host: LOOPBACK, port: 0, log, onSocket });
      closing.push(() => own.close());
      inside = { host: LOOPBACK, port: own.port };
    }
    return {
      address: { host, port: listener.port },
      access: {
        url: `mqtt://${inside.host.includes(':') ? `[${inside.host}]` : inside.host}:${inside.port}`,
        clientId: internal.name,
        username: internal.name,
        password: internal.secret,
      },
      disconnect(agent) {
        ended.set(agent, (ended.get(agent) ?? 0) + 1);
        live.get(agent)?.close();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const LOOPBACK = '127.0.0.1';

interface Connect {
  readonly clientId: string;
  readonly username?: string | undefined;
  readonly clean?: boolean | undefined;
  readonly will?: { topic: string; retain?: boolean; qos?: number } | undefined;
}

/** Why a CONNECT on the port of the cloud itself is refused. */
const strangerFault = ({ clientId }: Connect): string | undefined =>
  clientId === INTERNAL_CLIENT ? undefined : 'agents come over TLS only';

/**
 * Why a CONNECT is refused before anyone looks at its credential.
 * @param agentsOnly the cloud itself does not come this way
 */
function connectFault(
  { clientId, clean, will, username }: Connect,
  agentsOnly: boolean,
): string | undefined {
  if (clean === false) return 'only clean sessions: receipts replace what the broker would keep';
  if (clientId === INTERNAL_CLIENT) return agentsOnly ? 'only agents come this way' : undefined;
  if (username === OBSERVER) return observerFault(clientId, will !== undefined);
  if (!ID_PATTERN.test(clientId)) return 'the client id is no agent id';
  const { topic, retain = false, qos = 0 } = will ?? {};
  if (topic !== undefined && !mayPublish(agentId(clientId), { topic, retain, qos })) {
    return `the will may not be published on ${topic}`;
  }
  return undefined;
}

/** Its client id must not take a connection over from an agent. */
function observerFault(clientId: string, hasWill: boolean): string | undefined {
  if (hasWill) return 'who reads along leaves no will';
  return clientId === '' || clientId.startsWith('$')
    ? undefined
    : "an observer's client id begins with $, or is left to the broker";
}

/** @returns why the login is refused; null where it is not */
async function verify(
  { authenticate, isAgent, mayObserve }: BrokerOptions,
  internal: { readonly name: string; readonly secret: string },
  { id, conn }: Client,
  username: string | undefined,
  secret: string | undefined,
): Promise<string | null> {
  if (username === OBSERVER && id !== internal.name) {
    return secret !== undefined && (await mayObserve(secret)) ? null : 'no key that may read along';
  }
  const certificate = certificateOf(conn);
  if (certificate.kind === 'refused') return `its certificate is refused: ${certificate.why}`;
  if (certificate.kind === 'believed') {
    const { commonName } = certificate;
    if (commonName !== id) return `its certificate is of ${JSON.stringify(commonName)}`;
    return (await isAgent(agentId(id))) ? null : 'there is no such agent, or it is shut out';
  }
  if (username !== id || secret === undefined)
    return 'user name and client id differ, or no secret';
  if (id === internal.name) return equal(secret, internal.secret) ? null : 'wrong secret';
  return (await authenticate(agentId(id), secret)) ? null : 'unknown agent or wrong secret';
}

function equal(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => new TextEncoder().encode(text));
  return a?.byteLength === b?.byteLength && timingSafeEqual(a ?? EMPTY, b ?? EMPTY);
}

const EMPTY = new Uint8Array();

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
