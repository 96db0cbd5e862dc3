import { afterAll, beforeAll, expect, test } from 'vitest';
import { binId } from '#shared/ids.ts';
import { DAY_MS } from '#shared/units.ts';
import { writeQuarantine } from '../ingest/quarantine.ts';
import { serve, type Served } from './testing/served.ts';

const V1 = '/api/v1';
const BIN = 'forgotten';
let api: Served;
let at: number;

beforeAll(async () => {
  api = await serve();
  at = Date.now() - DAY_MS;
  const rows = [0, 1, 2].map((n) => ({
    agent: n === 2 ? 'beta-agent' : 'acme-agent',
    receivedMs: at + n,
    epoch: 'e1',
    seq: 7,
    index: n,
    reason: `bin: there is no ${BIN} at acme-hall`,
    payload: new TextEncoder().encode(
      JSON.stringify({
        bin: BIN,
        at: at + n,
        value: 300_000,
        unit: 'mg',
        samples: 10,
        spread: 20,
        quality: 'good',
        synced: true,
      }),
    ),
  }));
  await api.database.transaction((tx) => writeQuarantine(tx, rows));
});
afterAll(() => api.close());

interface Page {
  readonly items: readonly Record<string, unknown>[];
  readonly next: unknown;
}
const page = async (path: string): Promise<Page> =>
  (await api.ask('GET', `${V1}${path}`)).body as Page;
const replay = (body: object) => api.ask('POST', `${V1}/quarantine/replay`, { body });

test('it is listed by agent, with the reason and what it is about', async () => {
  const first = await page('/quarantine?agentId=acme-agent&limit=1');
  expect(first.items).toMatchObject([{ agentId: 'acme-agent', index: 1, kind: 'bin', times: 1 }]);
  const rest = await page(`/quarantine?agentId=acme-agent&cursor=${String(first.next)}`);
  expect(rest).toMatchObject({ items: [{ index: 0 }], next: null });
});

test('what is kept and was dropped is told by agent and kind, page by page', async () => {
  const first = await page('/quarantine/kinds?limit=1');
  expect(first.items).toEqual([
    {
      agentId: 'acme-agent',
      kind: 'bin',
      kept: 2,
      keptBytes: expect.any(Number) as number,
      dropped: 0,
      droppedBytes: 0,
      droppedFrom: null,
      droppedTo: null,
    },
  ]);
  const second = await page(`/quarantine/kinds?cursor=${String(first.next)}`);
  expect(second).toMatchObject({ items: [{ agentId: 'beta-agent', kept: 1 }], next: null });
});

test('once the bin is there, its readings are taken, each with its outcome', async () => {
  const before = await replay({ agentId: 'acme-agent' });
  expect((before.body as Page).items).toMatchObject([
    { outcome: 'refused', reason: `bin: there is no ${BIN} at acme-hall` },
    { outcome: 'refused' },
  ]);
  const bin = {
    id: BIN,
    name: BIN,
    siteId: 'acme-hall',
    productId: 'screw',
    capacityMg: 6_000_000,
  };
  const made = await api.ask('POST', `${V1}/bins`, { body: { ...bin, since: at - DAY_MS } });
  expect(made.status).toBe(201);

  const { items } = await page('/quarantine?agentId=acme-agent');
  const one = await api.ask('POST', `${V1}/quarantine/${String(items[0]?.['id'])}/replay`);
  expect(one.body).toMatchObject({ agentId: 'acme-agent', outcome: 'taken', stored: 1 });
  const again = await api.ask('POST', `${V1}/quarantine/${String(items[0]?.['id'])}/replay`);
  expect(again.status).toBe(404);

  const step = (await replay({ limit: 1 })).body as Page;
  expect(step.items).toMatchObject([{ outcome: 'taken', stored: 1, reason: null }]);
  const rest = (await replay({ after: Number(step.next) })).body as Page;
  // Another site's agent may not speak for this bin.
  expect(rest.items).toMatchObject([{ agentId: 'beta-agent', outcome: 'refused' }]);
  const range = { from: 0, to: Number.MAX_SAFE_INTEGER };
  expect(await api.readings.count(binId(BIN), range)).toBe(2);
});

test('it is for technicians', async () => {
  for (const path of ['/quarantine/replay', '/quarantine/1/replay']) {
    const { status } = await api.ask('POST', `${V1}${path}`, { key: api.keys.customer, body: {} });
    expect(status).toBe(403);
  }
  expect((await replay({ agent: 'acme-agent' })).status).toBe(400);
  expect((await api.ask('POST', `${V1}/quarantine/x/replay`)).status).toBe(400);
});
