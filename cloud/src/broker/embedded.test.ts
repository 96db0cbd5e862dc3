import { createConnection } from 'node:net';
import { once } from 'node:events';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { generate } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '#shared/failure.ts';
import { agentId, type AgentId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { MAX_BATCH_BYTES } from '#shared/wire/batch.ts';
import { topicOf } from '#shared/wire/topics.ts';
import { openEmbeddedBroker, type EmbeddedBroker } from './embedded.ts';

const log = createLog('test', 'silent');
const north = agentId('acme-north');
const south = agentId('acme-south');
const secrets: ReadonlyMap<string, string> = new Map([
  [north, 'north-secret'],
  [south, 'south-secret'],
]);

let broker: EmbeddedBroker;
const clients: MqttClient[] = [];

beforeEach(async () => {
  broker = await openEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    log,
    authenticate: (agent, secret) => Promise.resolve(secrets.get(agent) === secret),
    isAgent: (agent) => Promise.resolve(secrets.has(agent)),
    mayObserve: (key) => Promise.resolve(key === 'off_technician'),
  });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await broker.close();
});

/** Logs in, or fails with what the broker says, or with `closed` where it says nothing. */
async function connect(options: IClientOptions): Promise<MqttClient> {
  const client = mqtt.connect(broker.access.url, { reconnectPeriod: 0, ...options });
  clients.push(client);
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.on('error', reject);
    client.once('close', () => reject(new Error('closed')));
  });
  return client;
}

const closing = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => {
    client.once('close', () => resolve());
  });

const asAgent = (agent: AgentId, options: IClientOptions = {}): Promise<MqttClient> =>
  connect({ clientId: agent, username: agent, password: secrets.get(agent) ?? '', ...options });

const asIngest = (): Promise<MqttClient> => {
  const { clientId, username, password } = broker.access;
  return connect({ clientId, username, password });
};

describe('login', () => {
  test('that was checked before the sessions of its agent were ended holds no more', async () => {
    const checking = Promise.withResolvers<void>();
    const checked = Promise.withResolvers<boolean>();
    const { host } = broker.address;
    const slow = await openEmbeddedBroker({
      host,
      port: 0,
      log,
      authenticate: () => {
        checking.resolve();
        return checked.promise;
      },
      isAgent: () => Promise.resolve(true),
      mayObserve: () => Promise.resolve(false),
    });
    const client = mqtt.connect(slow.access.url, {
      reconnectPeriod: 0,
      clientId: north,
      username: north,
      password: 'north-secret',
    });
    clients.push(client);
    const refused = new Promise<Error>((resolve) => {
      client.once('error', resolve);
    });
    await checking.promise;
    slow.disconnect(north);
    checked.resolve(true);
    expect((await refused).message).toContain('Not authorized');
    await slow.close();
  });

  test('an agent gets in with its own secret as itself only', async () => {
    await expect(asAgent(north)).resolves.toBeDefined();
    const wrong = { clientId: north, username: north, password: 'guess' };
    await expect(connect(wrong)).rejects.toThrow('Not authorized');
    const borrowed = { clientId: south, username: north, password: 'north-secret' };
    await expect(connect(borrowed)).rejects.toThrow('Not authorized');
    await expect(connect({ clientId: north })).rejects.toThrow('Not authorized');
  });

  test('nobody is ingest without the secret made at this start', async () => {
    const { clientId, username } = broker.access;
    const guess = { clientId, username, password: 'x'.repeat(broker.access.password.length) };
    await expect(connect(guess)).rejects.toThrow('Not authorized');
    await expect(asIngest()).resolves.toBeDefined();
  });

  test('a session that outlives its connection is refused', async () => {
    await expect(asAgent(north, { clean: false })).rejects.toThrow('closed');
  });

  test('a new login with the right secret takes over from the old one', async () => {
    const first = await asAgent(north);
    const closed = closing(first);
    await asAgent(north);
    await closed;
  });

  test('an agent whose session is ended loses its connection', async () => {
    const client = await asAgent(north);
    const closed = closing(client);
    broker.disconnect(north);
    await closed;
  });
});

describe('somebody who reads along', () => {
  const observer = { username: '$observer', password: 'off_technician' };

  test('hears what agents and cloud say, with a key that may and no id of an agent', async () => {
    const watching = await connect({ ...observer, clientId: '' });
    const filter = 'offtake/v1/+/+/readings';
    const granted = await watching.subscribeAsync(filter, { qos: 0 });
    expect(granted.map(({ qos }) => qos)).toEqual([0]);
    const heard = new Promise((resolve) => {
      watching.once('message', (topic) => resolve(topic));
    });
    await (await asAgent(north)).publishAsync(topicOf(north, 'readings'), 'x', { qos: 1 });
    expect(await heard).toBe(topicOf(north, 'readings'));
    await expect(watching.subscribeAsync('$SYS/#')).rejects.toThrow('Subscribe error');
  });

  test('says nothing itself', async () => {
    const watching = await connect({ ...observer, clientId: '$me' });
    const closed = closing(watching);
    watching.publish(topicOf(north, 'receipt'), 'forged', { qos: 1 });
    await closed;
  });

  test('gets in with no other key, and takes no connection over from an agent or ingest', async () => {
    const agent = await asAgent(north);
    const wrong = { ...observer, password: 'off_customer', clientId: '$me' };
    await expect(connect(wrong)).rejects.toThrow('Not authorized');
    for (const clientId of [north, broker.access.clientId]) {
      await expect(connect({ ...observer, clientId })).rejects.toThrow(/closed|Not authorized/);
    }
    expect(agent.connected).toBe(true);
  });
});

describe('topics', () => {
  test('ingest hears an agent on its own channels', async () => {
    const ingest = await asIngest();
    await ingest.subscribeAsync('offtake/v1/+/+/readings', { qos: 1 });
    const heard = new Promise((resolve) => {
      ingest.once('message', (topic) => resolve(topic));
    });
    await (await asAgent(north)).publishAsync(topicOf(north, 'readings'), 'x', { qos: 1 });
    expect(await heard).toBe(topicOf(north, 'readings'));
  });

  test.each([
    ['readings of another agent', topicOf(south, 'readings'), {}],
    ['a receipt', topicOf(north, 'receipt'), {}],
    ['a configuration', topicOf(north, 'config'), { retain: true }],
    ["another's report of its configuration", topicOf(south, 'config/reported'), { retain: true }],
    ['another shard', 'offtake/v1/63/acme-north/readings', {}],
    ['retained readings', topicOf(north, 'readings'), { retain: true }],
    ['with QoS 2', topicOf(north, 'readings'), { qos: 2 }],
  ] as const)('publishing %s ends the connection and reaches nobody', async (_, topic, how) => {
    const ingest = await asIngest();
    await ingest.subscribeAsync('offtake/#', { qos: 1 });
    const heard: string[] = [];
    ingest.on('message', (topic) => heard.push(topic));
    const agent = await asAgent(north);
    const closed = closing(agent);
    agent.publish(topic, 'forged', how);
    await closed;
    await (await asAgent(south)).publishAsync(topicOf(south, 'live'), 'after', { qos: 1 });
    await expect.poll(() => heard).toEqual([topicOf(south, 'live')]);
  });

  test.each([
    'offtake/#',
    'offtake/v1/+/+/receipt',
    '#',
    topicOf(south, 'receipt'),
    topicOf(south, 'config'),
    topicOf(south, 'config/reported'),
  ])('subscribing to %s is refused', async (filter) => {
    const agent = await asAgent(north);
    const own = await agent.subscribeAsync(topicOf(north, 'receipt'), { qos: 1 });
    expect(own.map(({ qos }) => qos)).toEqual([1]);
    await expect(agent.subscribeAsync(filter, { qos: 1 })).rejects.toThrow('Subscribe error');
  });

  test('an agent finds its own configuration held for it, and its report is held in turn', async () => {
    const ingest = await asIngest();
    const held = { qos: 1, retain: true } as const;
    await ingest.publishAsync(topicOf(north, 'config'), 'wanted', held);
    const agent = await asAgent(north);
    const heard = new Promise((resolve) => {
      agent.once('message', (_, payload) => resolve(payload.toString()));
    });
    await agent.subscribeAsync(topicOf(north, 'config'), { qos: 1 });
    expect(await heard).toBe('wanted');
    await agent.publishAsync(topicOf(north, 'config/reported'), 'applied', held);
    const reports = new Promise((resolve) => {
      ingest.once('message', (_, payload) => resolve(payload.toString()));
    });
    await ingest.subscribeAsync('offtake/v1/+/+/config/reported', { qos: 1 });
    expect(await reports).toBe('applied');
  });

  test('a will on a topic of another agent is refused at login', async () => {
    const will = {
      topic: topicOf(south, 'status'),
      payload: 'dead',
      retain: true,
      qos: 1,
    } as const;
    await expect(asAgent(north, { will })).rejects.toThrow('closed');
  });

  test('the retained status is there for whoever subscribes later, and the will replaces it', async () => {
    const topic = topicOf(north, 'status');
    const will = { topic, payload: 'will', retain: true, qos: 1 } as const;
    const agent = await asAgent(north, { will });
    await agent.publishAsync(topic, 'birth', { retain: true, qos: 1 });
    const ingest = await asIngest();
    const heard: string[] = [];
    ingest.on('message', (_, payload) => heard.push(payload.toString()));
    await ingest.subscribeAsync('offtake/v1/+/+/status', { qos: 1 });
    await expect.poll(() => heard).toEqual(['birth']);
    agent.stream.destroy();
    await expect.poll(() => heard).toEqual(['birth', 'will']);
  });
});

describe('size', () => {
  test('a packet too large is cut, and the others go on', async () => {
    const bystander = await asAgent(south);
    const agent = await asAgent(north);
    const closed = closing(agent);
    agent.publish(topicOf(north, 'readings'), Buffer.alloc(MAX_BATCH_BYTES + 2_000), { qos: 1 });
    await closed;
    await bystander.publishAsync(topicOf(south, 'readings'), Buffer.alloc(MAX_BATCH_BYTES), {
      qos: 1,
    });
  });

  test('before login only a small packet is taken', async () => {
    const { port } = broker.address;
    const socket = createConnection({ host: '127.0.0.1', port });
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clientId: north,
        clean: true,
        keepalive: 60,
        username: north,
        password: Buffer.alloc(5_000, 'x'),
      }),
    );
    await closed;
  });
});

test('a port in use is told apart', async () => {
  const { host, port } = broker.address;
  const second = openEmbeddedBroker({
    host,
    port,
    log,
    authenticate: () => Promise.resolve(true),
    isAgent: () => Promise.resolve(true),
    mayObserve: () => Promise.resolve(false),
  });
  await expect(second).rejects.toThrow(Failure);
  await expect(second).rejects.toMatchObject({ code: 'port-in-use', retry: 'never' });
});
