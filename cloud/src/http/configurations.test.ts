import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { agentId, siteId, type AgentId } from '#shared/ids.ts';
import { MAX_CONFIG_BYTES, type ReportedConfig } from '#shared/wire/config.ts';
import { writeReports } from '../configuration/reports.ts';
import { createAgent } from '../identity/agents.ts';
import type { Configuration, ConfigurationVersion, Problem } from './contract.ts';
import { serve, type Answer, type AskOptions, type Served } from './testing/served.ts';

let api: Served;
let agent: AgentId;
/** A bin of the agent's site that no other agent reads. */
let bin: string;
let place = 0;
beforeAll(async () => {
  api = await serve();
});
afterAll(() => api.close());
beforeEach(async () => {
  place += 1;
  agent = agentId(`acme-${place}`);
  const enrolled = { id: agent, siteId: siteId('acme-hall') };
  await createAgent(api.database.sql, enrolled, Date.now());
  bin = `acme-bin-${place}`;
  const body = { id: bin, name: bin, siteId: 'acme-hall', productId: 'screw', capacityMg: 1 };
  await api.ask('POST', '/api/v1/bins', { body });
});

const ask = (method: string, path = '', options: AskOptions = {}): Promise<Answer> =>
  api.ask(method, `/api/v1/agents/${agent}/config${path}`, options);
const now = async (): Promise<Configuration> => (await ask('GET')).body as Configuration;

async function put(expectedVersion: number, config: object, note = ''): Promise<Answer> {
  return await ask('PUT', '', { body: { config, expectedVersion, note } });
}

const link = (name: string, address: string, ...bins: string[]) => ({
  name,
  protocol: 'mt-sics',
  address,
  scales: bins.map((bin) => ({ bin, divisionMg: 1_000 })),
});

const long = (length: number) => ({ report: { x: 'x'.repeat(length) } });

async function report(said: Omit<ReportedConfig, 'at'>): Promise<void> {
  await writeReports(api.database.sql, [{ agent, receivedMs: 8, report: { ...said, at: 7 } }]);
}

const versions = async (query = '') =>
  (await ask('GET', `/versions${query}`)).body as {
    items: ConfigurationVersion[];
    next: string | null;
  };
const restore = (version: string, expectedVersion: number) =>
  ask('POST', `/versions/${version}/restore`, { body: { expectedVersion } });

const pointersOf = ({ body }: Answer) =>
  (body as Problem).errors?.map(({ pointer, detail }) => [pointer, detail]);

describe('what is wanted', () => {
  test('is nothing at first, then the newest version, with its author and note', async () => {
    expect(await now()).toEqual({
      agentId: agent,
      state: 'local',
      says: 'Nothing is set from afar: the agent runs by its local file alone.',
      agrees: true,
      desired: null,
      inForce: null,
      reported: null,
    });
    const config = { report: { heartbeatS: 60 }, links: [link('hall', 'h:1', bin)] };
    const answer = await put(0, config, 'a new scale');
    expect(answer.status).toBe(200);
    const wanted = answer.body as Configuration;
    expect(wanted).toMatchObject({ state: 'waiting', agrees: false, inForce: null });
    expect(wanted.desired).toMatchObject({ version: 1, config, author: 'supplier ' });
    expect(wanted.desired?.note).toBe('a new scale');
    expect(await now()).toEqual(wanted);
    expect(api.configured.at(-1)).toBe(agent);
  });

  test('is seen beside what the agent says, and agrees once it is in force', async () => {
    await put(0, { log: 'debug' });
    await report({ version: 1, state: 'applied', inForce: 1 });
    expect(await now()).toMatchObject({
      state: 'applied',
      agrees: true,
      inForce: { version: 1, config: { log: 'debug' } },
    });
    await put(1, { log: 'warn' });
    const problems = [{ key: 'links.0.address', expected: 'host:port' }];
    await report({ version: 2, state: 'refused', inForce: 1, reason: '1 fault', problems });
    expect(await now()).toMatchObject({
      state: 'refused',
      agrees: false,
      says: 'The agent refused version 2 and runs by version 1.',
      desired: { version: 2 },
      inForce: { version: 1 },
      reported: { version: 2, inForce: 1, reason: '1 fault', problems, at: 7, receivedAt: 8 },
    });
    const listed = (await api.ask('GET', `/api/v1/agents/${agent}`)).body;
    expect(listed).toMatchObject({
      configuration: { state: 'refused', desired: 2, inForce: 1, reportedAt: 8 },
    });
  });

  test('waits on where the agent says that it could not read what it got, with the reason', async () => {
    await put(0, { log: 'debug' });
    await report({ version: 0, state: 'refused', inForce: 0, reason: 'not JSON' });
    expect(await now()).toMatchObject({
      state: 'waiting',
      agrees: false,
      reported: { version: 0, reason: 'not JSON' },
    });
  });

  test('goes back to the local file with an empty configuration', async () => {
    await put(0, { log: 'debug' });
    expect((await put(1, {})).body).toMatchObject({ desired: { version: 2, config: {} } });
  });
});

describe('a change', () => {
  test('that rests on another version than the newest is refused', async () => {
    await put(0, { log: 'debug' });
    for (const expected of [0, 2]) {
      const { status, body } = await put(expected, {});
      expect(status).toBe(409);
      expect(body).toMatchObject({ type: '/api/v1/problems/version-conflict' });
    }
    const unsaid = await ask('PUT', '', { body: { config: {} } });
    expect([unsaid.status, pointersOf(unsaid)?.[0]?.[0]]).toEqual([400, '/expectedVersion']);
    expect((await now()).desired?.version).toBe(1);
  });

  test('of an unknown section or an unusable value is told where', async () => {
    const links = [{ name: '../x', protocol: 'mt-sics', scales: [{ bin: '#' }] }];
    const config = { agent: { secret: 's' }, dataDir: '/', broker: 'http://x', log: 'loud', links };
    const answer = await put(0, config);
    expect(answer.status).toBe(400);
    expect(pointersOf(answer)).toContainEqual([
      '/config/broker',
      'expected mqtt://host:port or mqtts://host:port',
    ]);
    expect(
      pointersOf(answer)
        ?.map(([pointer]) => pointer)
        .toSorted(),
    ).toEqual([
      '/config/agent',
      '/config/broker',
      '/config/dataDir',
      '/config/links/0/address',
      '/config/links/0/name',
      '/config/links/0/scales/0/bin',
      '/config/log',
    ]);
    expect((await now()).desired).toBeNull();
  });

  test("that names another site's bins, or one thing twice, is told where", async () => {
    const links = [link('hall', 'h:1', bin, 'beta-bin'), link('hall', 'h:2', 'nothing')];
    const answer = await put(0, { links });
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ type: '/api/v1/problems/configuration-at-odds' });
    expect(pointersOf(answer)).toEqual([
      ['/config/links/1/name', 'expected a name that no other link has'],
      [
        '/config/links/0/scales/1/bin',
        'expected a bin of site acme-hall; beta-bin stands at beta-hall',
      ],
      ['/config/links/1/scales/0/bin', 'expected a bin of site acme-hall; there is no nothing'],
    ]);
    expect((await now()).desired).toBeNull();
  });

  test('with a key, certificate or password in it is refused, and neither kept nor repeated', async () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----';
    const config = { broker: 'mqtts://me:c2VjcmV0@broker', tls: { key: pem } };
    const answer = await put(0, config);
    expect(pointersOf(answer)?.map(([pointer]) => pointer)).toEqual([
      '/config/broker',
      '/config/tls/key',
    ]);
    expect(answer.text).not.toContain('c2VjcmV0');
    expect((await now()).desired).toBeNull();
  });

  test('that an agent could not take for its size is refused, a large one is not', async () => {
    expect((await put(0, long(MAX_CONFIG_BYTES - 1_000))).status).toBe(200);
    for (const length of [MAX_CONFIG_BYTES - 70, MAX_CONFIG_BYTES]) {
      const { status, body } = await put(1, long(length));
      expect([length, status]).toEqual([length, 413]);
      expect(body).toMatchObject({ type: '/api/v1/problems/too-large' });
    }
  });

  test('that is nested without end is refused as such', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const raw = `{"expectedVersion":0,"config":{"report":{"x":${deep}}}}`;
    const { status, body } = await ask('PUT', '', { raw });
    expect(status).toBe(400);
    expect(body).toMatchObject({ detail: expect.stringContaining('levels deep') as string });
  });
});

describe('older versions', () => {
  test('are listed newest first, in pages', async () => {
    for (const level of [0, 1, 2]) await put(level, { log: 'info' }, `number ${level + 1}`);
    expect((await versions()).items.map(({ version }) => version)).toEqual([3, 2, 1]);
    const first = await versions('?limit=2');
    const rest = await versions(`?limit=2&cursor=${first.next ?? ''}`);
    expect([...first.items, ...rest.items].map(({ note }) => note)).toEqual([
      'number 3',
      'number 2',
      'number 1',
    ]);
    expect(rest.next).toBeNull();
    expect((await ask('GET', '/versions?cursor=x')).status).toBe(400);
  });

  test('are restored as new ones, whose contents are judged again', async () => {
    const config = { links: [link('hall', 'h:1', bin)] };
    await put(0, config);
    await put(1, {});
    const answer = await restore('1', 2);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ state: 'waiting', desired: { version: 3, config } });
    expect((await restore('1', 2)).status).toBe(409);
    expect((await restore('9', 3)).status).toBe(404);
    expect((await restore('x', 3)).status).toBe(400);
    // Another agent reads the bin now.
    await put(3, {});
    const before = agent;
    agent = agentId(`${agent}-b`);
    await createAgent(api.database.sql, { id: agent, siteId: siteId('acme-hall') }, 1);
    await put(0, config);
    agent = before;
    expect(pointersOf(await restore('1', 4))).toEqual([
      ['/config/links/0/scales/0/bin', `expected a bin that agent ${agent}-b leaves alone`],
    ]);
  });
});

test('suppliers and technicians may do all of this, customers nothing', async () => {
  const body = { config: {}, expectedVersion: 0 };
  const asked = [
    ['GET', ''],
    ['PUT', ''],
    ['GET', '/versions'],
    ['POST', '/versions/1/restore'],
  ] as const;
  for (const [method, path] of asked) {
    const sent = method === 'GET' ? {} : { body };
    const refused = await ask(method, path, { key: api.keys.customer, ...sent });
    expect([method, path, refused.status]).toEqual([method, path, 403]);
    expect((await ask(method, path, { key: null, ...sent })).status).toBe(401);
  }
  const key = api.keys.technician;
  expect((await ask('PUT', '', { key, body })).status).toBe(200);
  expect((await ask('GET', '/versions', { key })).status).toBe(200);
  agent = agentId('nobody');
  for (const [method, path] of asked) {
    const sent = path.endsWith('restore') ? { body: { expectedVersion: 0 } } : { body };
    const nothing = await ask(method, path, { key, ...(method === 'GET' ? {} : sent) });
    expect([method, path, nothing.status]).toEqual([method, path, 404]);
  }
});
