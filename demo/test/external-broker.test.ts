import mqtt from 'mqtt';
import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { agentId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { desiredConfigSchema } from '#shared/wire/config.ts';
import { topicOf } from '#shared/wire/topics.ts';
import { want } from '../../cloud/src/configuration/versions.ts';
import { createKey } from '../../cloud/src/identity/keys.ts';
import { createChanges } from '../../cloud/src/ingest/changes.ts';
import { openIngest, type Ingest } from '../../cloud/src/ingest/ingest.ts';
import { createIngestMetrics } from '../../cloud/src/ingest/metrics.ts';
import { addAgent, openStack, type Stack } from '../../cloud/src/ingest/testing/stack.ts';
import { mosquittoBroker } from '../../edge-agent/src/testing/brokers.ts';

const north = agentId('north');

async function openAt(url: string, { db, readings }: Stack): Promise<Ingest> {
  const client = { clientId: 'cloud', username: 'cloud', password: '' };
  return await openIngest({
    db,
    readings,
    changes: createChanges(),
    metrics: createIngestMetrics(new Registry()),
    clock: systemClock,
    log: createLog('cloud', 'silent'),
    broker: { url, ...client },
    onFault: (fault) => {
      throw fault;
    },
  });
}

/** The version that a broker holds for the agent, as whoever comes now is told; 0 for none. */
async function heldAt(url: string): Promise<number> {
  const client = await mqtt.connectAsync(url);
  try {
    let held = 0;
    client.on('message', (topic, payload) => {
      if (topic.endsWith('/config')) {
        held = desiredConfigSchema.parse(JSON.parse(payload.toString())).version;
      }
    });
    await client.subscribeAsync(topicOf(north, 'config'), { qos: 1 });
    // What is held comes before whatever is sent after it was asked for.
    const marked = new Promise((resolve) => {
      client.on('message', (topic) => topic === MARK && resolve(undefined));
    });
    await client.subscribeAsync(MARK, { qos: 1 });
    await client.publishAsync(MARK, '', { qos: 1 });
    await marked;
    return held;
  } finally {
    await client.endAsync(true);
  }
}
const MARK = 'mark';

describe.runIf(requireProgram('mosquitto'))('a broker outside of the cloud', () => {
  test('holds the newest version, whatever it or the cloud went through', async () => {
    const stack = await openStack();
    onTestFinished(() => stack.close());
    await addAgent(stack.db, north);
    const created = await createKey(
      stack.db.sql,
      { name: 'Tina', role: 'technician', customerId: null },
      1,
    );
    if (!created.ok) throw new Error(created.reason);
    const wish = async (expectedVersion: number): Promise<void> => {
      const wanted = { agent: north, config: {}, author: created.value, note: '', expectedVersion };
      const outcome = await stack.db.transaction((tx) => want(tx, wanted, 1));
      expect(outcome.ok).toBe(true);
    };
    const broker = await mosquittoBroker();
    onTestFinished(() => broker.stop());
    const held = () => heldAt(broker.url);

    let cloud = await openAt(broker.url, stack);
    onTestFinished(() => cloud.close());
    await wish(0);
    cloud.configurationChanged(north);
    await expect.poll(held, WAIT).toBe(1);
    await cloud.close();

    // Taken by a cloud that ended before it could send it.
    await wish(1);
    expect(await held()).toBe(1);
    cloud = await openAt(broker.url, stack);
    await expect.poll(held, WAIT).toBe(2);

    // A broker that keeps nothing on disk begins anew.
    await broker.stop();
    await broker.restart();
    await expect.poll(held, WAIT).toBe(2);
  });
});
