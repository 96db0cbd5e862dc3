import { afterAll, beforeAll, expect, it } from 'vitest';
import { agentId, epoch, siteId, type AgentId } from '#shared/ids.ts';
import type { Status } from '#shared/wire/status.ts';
import { openTestDatabase, type TestDatabase } from '../../test/database.ts';
import { acme, acmeNorth, boltHall, seedMasterData } from '../../test/master-data.ts';
import { createAgent, listAgents } from './agents.ts';
import { mayConnect, renewSecret, setDisabled, verifyAgent } from './credentials.ts';

let test: TestDatabase;
let northSecret: string;
const north = agentId('north');
const south = agentId('south');

beforeAll(async () => {
  test = await openTestDatabase();
  await seedMasterData(test.database);
  northSecret = await enrol(north, acmeNorth);
  await enrol(south, boltHall);
});
afterAll(() => test.close());

async function enrol(id: AgentId, site: typeof acmeNorth): Promise<string> {
  return valueOf(await createAgent(test.database.sql, { id, siteId: site }, 1)).secret;
}

function valueOf<T>(outcome: { ok: true; value: T } | { ok: false; reason: string }): T {
  if (!outcome.ok) throw new Error(outcome.reason);
  return outcome.value;
}

const verify = (id: string, secret: string) => verifyAgent(test.database.sql, id, secret);

it('lets an agent in with its own secret only', async () => {
  expect(northSecret).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(await verify(north, northSecret)).toBe(true);
  expect(await verify(south, northSecret)).toBe(false);
  expect(await verify('nobody', northSecret)).toBe(false);
  expect(await verify(north, '')).toBe(false);
  expect(await verify(north, `${northSecret} `)).toBe(false);
  expect(await verify("north' or '1'='1", northSecret)).toBe(false);
  expect(await verify('north\u0000', northSecret)).toBe(false);
});

it('keeps no secret', async () => {
  const rows = await test.database.sql.selectFrom('agent').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain(northSecret);
});

it('enrols an agent once, at a site that is there', async () => {
  const { sql: db } = test.database;
  const again = await createAgent(db, { id: north, siteId: boltHall }, 2);
  expect(again).toEqual({ ok: false, reason: 'exists' });
  expect(await verifyAgent(db, north, northSecret)).toBe(true);
  const nowhere = await createAgent(db, { id: agentId('x'), siteId: siteId('nowhere') }, 2);
  expect(nowhere).toEqual({ ok: false, reason: 'unknown-site' });
});

it('shows agents as they last said they are, and what was received of them', async () => {
  const { sql: db } = test.database;
  const status: Status = {
    online: true,
    session: 's1',
    at: 40,
    version: '0.1.0',
    backlog: 12,
    devices: [{ bin: 'a1', link: 'hall-1', ok: false, fault: 'no answer' }],
  };
  const row = { agent_id: north, session: 's1', at_ms: 50, body: JSON.stringify(status) };
  // What counts is the column: a restarted cloud knows nobody to be connected.
  await db
    .insertInto('agent_status')
    .values({ ...row, online: false })
    .execute();
  const cursors = [
    { agent_id: north, epoch: epoch('e1'), seq: 10, at_ms: 20 },
    { agent_id: north, epoch: epoch('e2'), seq: 5, at_ms: 30 },
  ];
  await db.insertInto('cursor').values(cursors).execute();

  const expected = [
    {
      id: 'north',
      disabledAt: null,
      siteId: 'acme-north',
      online: false,
      seenAt: 50,
      version: '0.1.0',
      backlog: 12,
      receivedBatches: 15,
      lastBatchAt: 30,
      devices: [{ bin: 'a1', link: 'hall-1', ok: false, fault: 'no answer' }],
      configuration: { state: 'local', desired: 0, inForce: 0, reportedAt: null },
      alarms: [],
    },
    {
      id: 'south',
      siteId: 'bolt-hall',
      online: false,
      seenAt: null,
      version: null,
      backlog: null,
      disabledAt: null,
      receivedBatches: 0,
      lastBatchAt: null,
      devices: [],
      configuration: { state: 'local', desired: 0, inForce: 0, reportedAt: null },
      alarms: [],
    },
  ];
  expect(await listAgents(db, { limit: 9 })).toEqual(expected);
  expect(await listAgents(db, { limit: 1 })).toEqual(expected.slice(0, 1));
  expect(await listAgents(db, { limit: 9, after: north })).toEqual(expected.slice(1));
  expect(await listAgents(db, { limit: 9, ids: [south] })).toEqual(expected.slice(1));
  expect(await listAgents(db, { limit: 9, ids: [] })).toEqual([]);
  const acmes = await test.database.scoped(acme, (tx) => listAgents(tx, { limit: 9 }));
  expect(acmes).toEqual(expected.slice(0, 1));
});

it('lets a renewed secret in beside the old one, which ends at its first use', async () => {
  const { sql: db } = test.database;
  const id = agentId('renewed');
  const old = await enrol(id, acmeNorth);
  const unused = valueOf(await renewSecret(db, id, 'at-first-use')).secret;
  const fresh = valueOf(await renewSecret(db, id, 'at-first-use')).secret;
  expect(await verify(id, unused)).toBe(false);
  expect(await verify(id, old)).toBe(true);
  expect(await verify(id, fresh)).toBe(true);
  expect(await verify(id, old)).toBe(false);
  expect(await verify(id, fresh)).toBe(true);
  expect(await renewSecret(db, agentId('nobody'), 'now')).toEqual({
    ok: false,
    reason: 'not-found',
  });
});

it('ends the old secret at once where that is wanted', async () => {
  const id = agentId('stolen');
  const old = await enrol(id, acmeNorth);
  const fresh = valueOf(await renewSecret(test.database.sql, id, 'now')).secret;
  expect(await verify(id, old)).toBe(false);
  expect(await verify(id, fresh)).toBe(true);
});

it('shuts an agent out whatever it shows, and lets it in again with the same secret', async () => {
  const { sql: db } = test.database;
  const id = agentId('shut-out');
  const secret = await enrol(id, acmeNorth);
  await setDisabled(db, id, 50);
  await setDisabled(db, id, 60);
  const [agent] = await listAgents(db, { ids: [id], limit: 1 });
  expect(agent?.disabledAt).toBe(50);
  expect(await verify(id, secret)).toBe(false);
  expect(await mayConnect(db, id)).toBe(false);
  const fresh = valueOf(await renewSecret(db, id, 'at-first-use')).secret;
  expect(await verify(id, fresh)).toBe(false);
  await setDisabled(db, id, null);
  expect(await verify(id, secret)).toBe(true);
  expect(await mayConnect(db, id)).toBe(true);
  expect(await mayConnect(db, agentId('nobody'))).toBe(false);
});
