import { randomUUID } from 'node:crypto';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { messageOf } from '#shared/failure.ts';
import type { Clock } from '#shared/clock.ts';
import type { AgentId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import type { Status } from '#shared/wire/status.ts';
import { topicOf, type AgentChannel, type CloudChannel } from '#shared/wire/topics.ts';
import { backoffMs } from '../core/backoff.ts';
import { readTls, type TlsConfig, type TlsMaterial } from './tls.ts';

const KEEPALIVE_S = 30;
const CONNECT_TIMEOUT_MS = 10_000;
const BACKOFF = { firstMs: 500, mostMs: 30_000 };

/** A connection that held for so long was a good one: the next pause is short again. */
const HEALTHY_MS = 60_000;

/** One session with the broker; useless once it is down. */
export interface Session {
  /** Stands in birth, health and will, so that an old will cannot bury a new birth. */
  readonly id: string;
  publish(channel: AgentChannel, payload: string | Uint8Array, options: PublishOptions): void;
  /** As `publish`, and settles when the broker has it, or rejects where the session is down. */
  deliver(
    channel: AgentChannel,
    payload: string | Uint8Array,
    options: PublishOptions,
  ): Promise<void>;
}
interface PublishOptions {
  readonly qos: 0 | 1;
  readonly retain?: boolean;
}

/** Where the broker is, and whom to believe that it is the one. */
export interface Endpoint {
  readonly broker: string;
  readonly tls?: TlsConfig | undefined;
}

/** A certificate in `tls` may stand for the secret. */
export interface Credential {
  readonly id: AgentId;
  readonly secret?: string | undefined;
}

export interface ConnectionOptions extends Endpoint {
  readonly agent: Credential;
  readonly clock: Clock;
  readonly log: Log;
  readonly onUp: (session: Session) => void;
  readonly onDown: (session: Session) => void;
  readonly onMessage: (channel: CloudChannel, payload: Uint8Array) => void;
  /** Called with every attempt to connect. */
  readonly onAttempt?: (() => void) | undefined;
}

/**
 * Keeps one MQTT session up. MQTT.js is transport only: every attempt is a new client with a clean
 * session and empty stores, so nothing of its own queue is ever sent again, and the pause between
 * attempts is ours, since its own has neither backoff nor jitter (MQTT.js#561, #563).
 */
export class Connection {
  readonly #options: ConnectionOptions;
  #client: MqttClient | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  #isStopped = false;
  /** What the log last said about the connection, so that it says only news. */
  #lastFault: string | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  start(): void {
    if (!this.#isStopped) this.#attempt();
  }

  /** Ends the session, waiting for the broker up to the deadline; may be called twice. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = null;
    if (client === null) return;
    // MQTT.js waits for every answer that is still due, and a second end() is not heard while it does.
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const deadline = setTimeout(resolve, deadlineMs);
    await Promise.race([client.endAsync(!client.connected), late]);
    clearTimeout(deadline);
    client.stream.destroy();
  }

  /** What the last attempt to connect failed with; `null` while it is up. */
  get fault(): string | null {
    return this.#lastFault;
  }

  #attempt(): void {
    this.#options.onAttempt?.();
    try {
      this.#connect(readTls(this.#options.tls ?? {}));
    } catch (error) {
      this.#report(messageOf(error));
      this.#later();
    }
  }

  #connect(tls: TlsMaterial): void {
    const { broker, agent, clock, log, onUp, onDown, onMessage } = this.#options;
    const id = randomUUID();
    const client = connect(broker, {
      ...sessionOptions(agent, { online: false, session: id, at: Math.max(1, clock.wallMs()) }),
      ...tls,
    });
    this.#client = client;
    const session = sessionOn(client, id, agent.id);
    let upAt: number | null = null;
    let hasSaidWhy = false;
    const failed = (fault: string): void => {
      hasSaidWhy = true;
      this.#report(fault);
    };
    const configTopic = topicOf(agent.id, 'config');
    client.on('connect', () => {
      client.subscribe(topicOf(agent.id, 'receipt'), { qos: 1 }, (error) => {
        if (error !== null) {
          failed(`may not subscribe to its receipts: ${error.message}`);
          client.end(true);
          return;
        }
        upAt = clock.monotonicMs();
        this.#lastFault = null;
        log.info({ broker, session: id }, 'connected to the broker');
        onUp(session);
      });
      client.subscribe(configTopic, { qos: 1 }, (error) => {
        // A broker that keeps it away is good enough for readings.
        if (error !== null && client.connected) {
          log.warn({ broker, fault: error.message }, 'may not subscribe to its configuration');
        }
      });
    });
    client.on('message', (topic, payload) =>
      onMessage(topic === configTopic ? 'config' : 'receipt', payload),
    );
    client.on('error', (error) => failed(refusalOf(error)));
    client.on('close', () => {
      // MQTT.js says `close` once for the stream and again for end(): the first one counts.
      client.removeAllListeners('close');
      client.end(true);
      if (upAt !== null) {
        const heldMs = clock.monotonicMs() - upAt;
        if (!this.#isStopped) {
          log.warn({ broker, heldS: Math.round(heldMs / 1_000) }, 'disconnected from the broker');
        }
        if (heldMs >= HEALTHY_MS) this.#failures = 0;
        onDown(session);
      } else if (!this.#isStopped && !hasSaidWhy) {
        this.#report('connection refused or closed');
      }
      this.#later();
    });
  }

  #later(): void {
    if (this.#isStopped) return;
    const pause = backoffMs(this.#failures, Math.random(), BACKOFF);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#attempt(), pause);
  }

  #report(fault: string): void {
    if (this.#lastFault === fault) return;
    this.#lastFault = fault;
    this.#options.log.warn({ broker: this.#options.broker, fault }, 'cannot reach the broker');
  }
}

/** A clean session, its end told by `will`; when to try again is not for MQTT.js to say. */
const sessionOptions = ({ id, secret }: Credential, will: Status): IClientOptions => ({
  clientId: id,
  username: id,
  ...(secret !== undefined && { password: secret }),
  clean: true,
  keepalive: KEEPALIVE_S,
  connectTimeout: CONNECT_TIMEOUT_MS,
  reconnectPeriod: 0,
  queueQoSZero: false,
  resubscribe: false,
  will: {
    topic: topicOf(id, 'status'),
    payload: Buffer.from(JSON.stringify(will)),
    qos: 1,
    retain: true,
  },
});

/** Return codes of CONNACK: bad user name or password; not authorized (MQTT 3.1.1, 3.2.2.3). */
const LOGIN_REFUSED: ReadonlySet<unknown> = new Set([4, 5]);

/** What the parser of MQTT.js (mqtt-packet) says of bytes that are no packet. */
const NO_PACKET = /^(?:Invalid|Malformed|Cannot parse|Packet|Unknown property|Not supported)\b/;

/** What the broker refused, and where that is mended if it is the login. */
function refusalOf(error: Error): string {
  const isLogin = 'code' in error && LOGIN_REFUSED.has(error.code);
  if (!('code' in error) && NO_PACKET.test(error.message)) {
    return `what answers does not speak MQTT: ${error.message}`;
  }
  return isLogin ? `${error.message}: are agent.id and agent.secret right?` : messageOf(error);
}

function sessionOn(client: MqttClient, id: string, agent: AgentId): Session {
  const deliver: Session['deliver'] = (channel, payload, { qos, retain = false }) =>
    new Promise((resolve, reject) => {
      if (!client.connected) {
        reject(new Error('the session is down'));
        return;
      }
      client.publish(topicOf(agent, channel), asBuffer(payload), { qos, retain }, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  return {
    id,
    deliver,
    publish: (channel, payload, { qos, retain = false }) => {
      // Whether it arrived is for receipts to say; a broken session says so by closing.
      if (client.connected)
        client.publish(topicOf(agent, channel), asBuffer(payload), { qos, retain }, ignore);
    },
  };
}

/** MQTT.js takes a `Buffer`; this one shares the bytes. */
const asBuffer = (payload: string | Uint8Array): string | Buffer =>
  typeof payload === 'string'
    ? payload
    : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);

/** Without a callback MQTT.js would emit `error` for each message lost with a session. */
function ignore(): void {}
