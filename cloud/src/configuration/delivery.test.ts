import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentId, type AgentId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { desiredConfigSchema } from '#shared/wire/config.ts';
import { openTestDatabase, type TestDatabase } from '../../test/database.ts';
import { acmeNorth, seedMasterData } from '../../test/master-data.ts';
import { createAgent } from '../identity/agents.ts';
import { createKey, type ApiKey } from '../identity/keys.ts';
import { Delivery } from './delivery.ts';
import { want } from './versions.ts';

const [north, south, west] = ['north', 'south', 'west'].map(agentId) as [AgentId, AgentId, AgentId];
const times = { settleMs: 5, retryMs: 5 };

let opened: TestDatabase;
let author: ApiKey;
let delivery: Delivery;
/** What was sent, in order: agent and version, 0 for nothing. */
let sent: [string, number][];
let held: Map<AgentId, string>;

beforeEach(async () => {
  opened = await openTestDatabase();
  await seedMasterData(opened.database);
  const { sql } = opened.database;
  for (const id of [north, south, west]) await createAgent(sql, { id, siteId: acmeNorth }, 1);
  const created = await createKey(sql, { name: 'T', role: 'technician', customerId: null }, 1);
  if (!created.ok) throw new Error(created.reason);
  author = created.value;
  delivery = start();
  [sent, held] = [[], new Map()];
});
afterEach(async () => {
  await delivery.close();
  await opened.close();
});

const start = () => new Delivery(opened.database.sql, createLog('test', 'silent'), times);

async function hold(agent: AgentId, payload: string): Promise<void> {
  held.set(agent, payload);
  sent.push([agent, payload === '' ? 0 : desiredConfigSchema.parse(JSON.parse(payload)).version]);
}

async function wish(agent: AgentId, expectedVersion: number): Promise<void> {
  const wanted = { agent, config: { log: 'debug' as const }, expectedVersion, author, note: '' };
  const outcome = await opened.database.transaction((tx) => want(tx, wanted, 1));
  expect(outcome.ok).toBe(true);
}

function reach(using = hold): void {
  delivery.reached(using);
  for (const [agent, payload] of held) delivery.held(agent, new TextEncoder().encode(payload));
  delivery.subscribed();
}

test('a broker that holds nothing gets the newest version of each agent, and nothing for others', async () => {
  await wish(north, 0);
  await wish(north, 1);
  await wish(south, 0);
  reach();
  await expect
    .poll(() => sent)
    .toEqual([
      ['north', 2],
      ['south', 1],
    ]);
  expect(held.get(north)).toBe('{"version":2,"config":{"log":"debug"}}');
});

test('what a broker holds already is not sent again; what is old, other or unknown is made right', async () => {
  for (const agent of [north, south]) await wish(agent, 0);
  held = new Map([
    [north, '{"version":1,"config":{"log":"debug"}}'],
    [south, '{"version":1,"config":{"log":"info"}}'],
    [west, '{"version":9,"config":{}}'],
    [agentId('another-clouds'), '{"version":9,"config":{}}'],
  ]);
  reach();
  await expect
    .poll(() => sent)
    .toEqual([
      ['south', 1],
      ['west', 0],
    ]);
});

test('a change is sent at once, and the newest of several last', async () => {
  reach();
  await wish(north, 0);
  delivery.changed(north);
  await wish(north, 1);
  delivery.changed(north);
  await expect.poll(() => sent.at(-1)).toEqual(['north', 2]);
});

test('what changed while no broker could be reached is sent when one is', async () => {
  await wish(north, 0);
  delivery.changed(north);
  reach();
  await expect.poll(() => sent).toEqual([['north', 1]]);
  delivery.lost();
  await wish(north, 1);
  delivery.changed(north);
  expect(sent).toEqual([['north', 1]]);
  reach();
  await expect
    .poll(() => sent)
    .toEqual([
      ['north', 1],
      ['north', 2],
    ]);
});

test('what a broker does not take is sent again', async () => {
  await wish(north, 0);
  let refusals = 3;
  reach(async (agent, payload) => {
    refusals -= 1;
    if (refusals >= 0) throw new Error('not now');
    await hold(agent, payload);
  });
  await expect.poll(() => sent).toEqual([['north', 1]]);
});

test('a version that was kept by a process that ended is sent by the next', async () => {
  await wish(north, 0);
  await delivery.close();
  expect(sent).toEqual([]);
  delivery = start();
  reach();
  await expect.poll(() => sent).toEqual([['north', 1]]);
});
