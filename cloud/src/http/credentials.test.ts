import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyAgent } from '../identity/credentials.ts';
import { serve, type Served } from './testing/served.ts';

const V1 = '/api/v1';
let api: Served;
beforeAll(async () => {
  api = await serve();
});
afterAll(() => api.close());

const verify = (secret: string) => verifyAgent(api.database.sql, 'gateway', secret);

test('a secret is renewed, shown once, and an agent shut out: its session ends at once', async () => {
  const body = { id: 'gateway', siteId: 'acme-hall' };
  const created = (await api.ask('POST', `${V1}/agents`, { body })).body as { secret: string };
  const place = `${V1}/agents/gateway`;

  const renewed = await api.ask('POST', `${place}/secret`, { body: {} });
  expect(renewed.status).toBe(201);
  const { secret } = renewed.body as { secret: string };
  expect(api.ended).toEqual([]);
  expect(await verify(created.secret)).toBe(true);
  expect(await verify(secret)).toBe(true);
  expect(await verify(created.secret)).toBe(false);

  const at = await api.ask('POST', `${place}/secret`, { body: { oldEnds: 'now' } });
  expect(api.ended).toEqual(['gateway']);
  expect(await verify(secret)).toBe(false);
  const newest = (at.body as { secret: string }).secret;

  const shut = await api.ask('PUT', `${place}/access`, { body: { disabled: true } });
  expect(shut.body).toMatchObject({ id: 'gateway', disabledAt: expect.any(Number) as number });
  expect(api.ended).toEqual(['gateway', 'gateway']);
  expect(await verify(newest)).toBe(false);
  const open = await api.ask('PUT', `${place}/access`, { body: { disabled: false } });
  expect(open.body).toMatchObject({ disabledAt: null });
  expect(await verify(newest)).toBe(true);
  expect((await api.ask('GET', place)).text).not.toContain(newest);
});

test('both are for technicians, and for agents that there are', async () => {
  for (const [method, what, body] of [
    ['POST', 'secret', {}],
    ['PUT', 'access', { disabled: true }],
  ] as const) {
    const asked = `${V1}/agents/acme-agent/${what}`;
    const denied = await api.ask(method, asked, { key: api.keys.customer, body });
    expect(denied.status).toBe(403);
    const missing = await api.ask(method, `${V1}/agents/nobody/${what}`, { body });
    expect(missing.status).toBe(404);
    const faulty = await api.ask(method, asked, { body: { oldEnds: 'never', disabled: 1 } });
    expect(faulty.status).toBe(400);
  }
});
