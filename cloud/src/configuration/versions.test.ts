import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { agentId, type AgentId, type SiteId } from '#shared/ids.ts';
import { remoteSectionsSchema } from '#shared/wire/config.ts';
import { openTestDatabase, type TestDatabase } from '../../test/database.ts';
import { acme, acmeNorth, bolt, boltHall, seedMasterData } from '../../test/master-data.ts';
import { createAgent } from '../identity/agents.ts';
import { createKey, type ApiKey } from '../identity/keys.ts';
import { reportOf, writeReports } from './reports.ts';
import { getVersion, listVersions, newestVersion, want } from './versions.ts';

let opened: TestDatabase;
let author: ApiKey;
let agent: AgentId;
let place = 0;

beforeAll(async () => {
  opened = await openTestDatabase();
  await seedMasterData(opened.database);
  const key = { name: 'Tina', role: 'technician', customerId: null } as const;
  const created = await createKey(opened.database.sql, key, 1);
  if (!created.ok) throw new Error(created.reason);
  author = created.value;
});
afterAll(() => opened.close());
beforeEach(async () => {
  agent = await enrol(acmeNorth);
});

async function enrol(site: SiteId): Promise<AgentId> {
  place += 1;
  const id = agentId(`agent-${place}`);
  await createAgent(opened.database.sql, { id, siteId: site }, 1);
  return id;
}

const reading = (...bins: string[]) => ({
  links: [
    { name: 'hall', protocol: 'mt-sics', address: 'h:1', scales: bins.map((bin) => ({ bin })) },
  ],
});

function wish(of: AgentId, expectedVersion: number, config: object, nowMs = 5) {
  const wanted = { agent: of, config: remoteSectionsSchema.parse(config), author, expectedVersion };
  return opened.database.transaction((tx) => want(tx, { ...wanted, note: 'why' }, nowMs));
}

const report = (version: number, inForce: number, reason?: string) => ({
  agent,
  receivedMs: 9,
  report: {
    version,
    state: 'refused' as const,
    inForce,
    at: 8,
    ...(reason !== undefined && {
      reason,
      problems: Array.from({ length: 300 }, () => ({ key: reason, expected: reason })),
    }),
  },
});

test('every version is kept, with who wanted it, when and why, its keys as they were written', async () => {
  expect(await newestVersion(opened.database.sql, agent)).toBeUndefined();
  await wish(agent, 0, { report: { minSamples: 5, heartbeatS: 60 }, log: 'info' }, 5);
  await wish(agent, 1, {}, 6);
  const first = { version: 1, at: 5, author: 'Tina', note: 'why' };
  const [second, kept, ...others] = await listVersions(opened.database.sql, agent, { limit: 9 });
  expect(others).toEqual([]);
  expect(second).toMatchObject({ version: 2, at: 6, config: {} });
  expect(kept).toMatchObject(first);
  expect(JSON.stringify(kept?.config)).toBe(
    '{"log":"info","report":{"minSamples":5,"heartbeatS":60}}',
  );
  expect(await listVersions(opened.database.sql, agent, { before: 2, limit: 9 })).toEqual([kept]);
  expect(await getVersion(opened.database.sql, agent, 1)).toEqual(kept);
  expect(await getVersion(opened.database.sql, agent, 3)).toBeUndefined();
});

test('whoever knew of another version than the newest is refused, and nothing is kept', async () => {
  await wish(agent, 0, { log: 'info' });
  for (const expected of [0, 2]) {
    expect(await wish(agent, expected, { log: 'debug' })).toEqual({
      ok: false,
      reason: 'version-conflict',
    });
  }
  expect(await listVersions(opened.database.sql, agent, { limit: 9 })).toHaveLength(1);
  const nobody = await wish(agentId('nobody'), 0, {});
  expect(nobody).toEqual({ ok: false, reason: 'not-found' });
});

test('bins are judged by the site of the agent and by its other agents', async () => {
  const second = await enrol(acmeNorth);
  expect(await wish(agent, 0, reading('a1'))).toMatchObject({ ok: true });
  const expected = [
    'a bin that agent agent-3 leaves alone',
    'a bin of site acme-north; b1 stands at bolt-hall',
    'a bin of site acme-north; there is no nothing',
  ].map((text) => text.replace('agent-3', agent));
  expect(await wish(second, 0, reading('a1', 'b1', 'nothing', 'a2'))).toMatchObject({
    ok: false,
    reason: 'configuration-at-odds',
    faults: expected.map((text, n) => ({
      path: ['links', 0, 'scales', n, 'bin'],
      expected: text,
    })),
  });
  // Only what is wanted of it now counts, not what once was.
  await wish(agent, 1, {});
  expect(await wish(second, 0, reading('a1'))).toMatchObject({ ok: true });
  const elsewhere = await enrol(boltHall);
  expect(await wish(elsewhere, 0, reading('b1'))).toMatchObject({ ok: true });
});

test('a version is newer than any that the agent has seen', async () => {
  await writeReports(opened.database.sql, [report(7, 7)]);
  expect(await wish(agent, 0, {})).toMatchObject({ ok: true, value: { version: 8 } });
});

test('the last report of an agent that came is kept, and cut where it has no end', async () => {
  const { sql } = opened.database;
  expect(await reportOf(sql, agent)).toBeUndefined();
  await writeReports(sql, [report(3, 1), report(2, 2)]);
  expect(await reportOf(sql, agent)).toEqual({
    version: 2,
    state: 'refused',
    inForce: 2,
    at: 8,
    receivedAt: 9,
    reason: null,
    problems: [],
  });
  await writeReports(sql, [report(4, 1, `nul \0 half \ud800 ${'x'.repeat(5_000)}`)]);
  const kept = await reportOf(sql, agent);
  expect(kept?.reason).toMatch(/^nul \uFFFD half \uFFFD x+$/);
  expect(kept?.reason).toHaveLength(1_000);
  expect(kept?.problems).toHaveLength(100);
  await writeReports(sql, [{ ...report(1, 1), agent: 'nobody' }]);
});

test('a configuration may hold any text that JSON has', async () => {
  const config = { report: { odd: 'nul \0 half \ud800 whole 😀' } };
  await wish(agent, 0, config);
  expect((await newestVersion(opened.database.sql, agent))?.config).toEqual(config);
});

test("a customer's reader sees the configurations of its own sites only", async () => {
  await wish(agent, 0, { log: 'info' });
  const seen = (customer: typeof acme) =>
    opened.database.scoped(customer, (tx) => newestVersion(tx, agent));
  expect(await seen(acme)).toMatchObject({ version: 1 });
  expect(await seen(bolt)).toBeUndefined();
});
