import mqtt from 'mqtt';
import type { Clock } from '#shared/clock.ts';
import { Failure } from '#shared/failure.ts';
import type { AgentId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import { SECOND_MS } from '#shared/units.ts';
import type { Receipt } from '#shared/wire/receipt.ts';
import { parseTopic, topicOf } from '#shared/wire/topics.ts';
import type { Delivery } from '../configuration/delivery.ts';
import { INGEST_CHANNELS, type Message } from './message.ts';

const RECONNECT_MS = SECOND_MS;
const CONNECT_TIMEOUT_MS = 10 * SECOND_MS;

export interface IntakeOptions {
  readonly broker: {
    readonly url: string;
    readonly clientId: string;
    readonly username: string;
    readonly password: string;
  };
  readonly clock: Clock;
  readonly log: Log;
  /** Must not keep MQTT waiting. */
  readonly onMessage: (message: Message) => void;
  /** Hears of every connection, of what its broker holds on `config`, and of its end. */
  readonly delivery: Pick<Delivery, 'reached' | 'held' | 'subscribed' | 'lost'>;
}

/** The cloud's side of the broker: an ordinary MQTT client, whichever broker it is. */
export interface Intake {
  sendReceipt(agent: AgentId, receipt: Receipt): void;
  /** No more messages from here on; receipts can still be sent. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects and subscribes. MQTT.js acknowledges at once, which promises nothing: what an agent may
 * delete, our receipt says, after the commit.
 * @throws Failure `broker-unreachable`
 */
export async function openIntake(options: IntakeOptions): Promise<Intake> {
  const { broker, clock, log, delivery, onMessage } = options;
  const client = mqtt.connect(broker.url, {
    clientId: broker.clientId,
    username: broker.username,
    password: broker.password,
    clean: true,
    // Subscribed below on every connection, so that one whose answer was lost is made good.
    resubscribe: false,
    queueQoSZero: false,
    reconnectPeriod: RECONNECT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
  let stopped = false;
  client.on('message', (topic, payload, { retain }) => {
    const parts = parseTopic(topic);
    if (stopped || parts === undefined) return;
    const { agent } = parts;
    // Our own, when it was just sent, comes back without the flag.
    if (parts.channel === 'config' && retain) delivery.held(agent, payload);
    const channel = INGEST_CHANNELS.find((name) => name === parts.channel);
    if (channel !== undefined) onMessage({ agent, channel, payload, receivedMs: clock.wallMs() });
  });
  client.on('error', (error) => log.warn({ err: error }, 'broker connection failed'));
  client.on('close', () => {
    delivery.lost();
    if (!stopped) log.warn('broker connection closed');
  });

  const filters = [...INGEST_CHANNELS, 'config'].map((channel) => `offtake/v1/+/+/${channel}`);
  await new Promise<void>((resolve, reject) => {
    const timeout = setTimeout(() => {
      const message = `ingest: no subscription at ${broker.url} within ${CONNECT_TIMEOUT_MS} ms`;
      reject(new Failure('broker-unreachable', message, { retry: 'later' }));
    }, CONNECT_TIMEOUT_MS);
    client.on('connect', () => {
      delivery.reached(async (agent, payload) => {
        const held = { qos: 1, retain: true } as const;
        await client.publishAsync(topicOf(agent, 'config'), payload, held);
      });
      client.subscribe(filters, { qos: 1 }, (error) => {
        if (error !== null) {
          // The next connection subscribes again.
          log.warn({ err: error }, 'subscription failed');
          client.reconnect();
          return;
        }
        clearTimeout(timeout);
        log.info({ broker: broker.url }, 'ingest subscribed');
        delivery.subscribed();
        resolve();
      });
    });
  }).catch(async (error: unknown) => {
    await client.endAsync(true);
    throw error;
  });

  return {
    sendReceipt(agent, receipt) {
      if (!client.connected) return;
      const topic = topicOf(agent, 'receipt');
      client.publish(topic, JSON.stringify(receipt), { qos: 1 }, (error) => {
        if (error) log.debug({ agent, err: error }, 'receipt not sent');
      });
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      if (client.connected) await client.unsubscribeAsync(filters);
    },
    async close() {
      stopped = true;
      await client.endAsync(!client.connected);
    },
  };
}
