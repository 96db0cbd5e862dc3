import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serve, type AskOptions, type Served } from './testing/served.ts';

let api: Served;
beforeAll(async () => {
  api = await serve();
});
afterAll(() => api.close());

const V1 = '/api/v1';
const get = (path: string, options?: AskOptions) => api.ask('GET', `${V1}${path}`, options);

interface Page {
  readonly items: readonly Record<string, unknown>[];
  readonly next: string | null;
}
const pageOf = async (path: string, options?: AskOptions): Promise<Page> =>
  (await get(path, options)).body as Page;

/** A problem without the id of what was asked for. */
const unnamed = (problem: unknown) => JSON.stringify(problem).replace(/no [\w-]+,/, '');
const encode = (key: unknown) => Buffer.from(JSON.stringify(key)).toString('base64url');
const post = (raw: string, headers?: Record<string, string>) =>
  api.ask('POST', `${V1}/customers`, { raw, ...(headers !== undefined && { headers }) });
const consumptionOf = async (query: string) =>
  (await get(`/consumption?${query}`)).body as {
    rows: Record<string, unknown>[];
    stale: string[];
  };
const rows = async (query: string) => (await consumptionOf(query)).rows;
const stale = async (query: string) => (await consumptionOf(query)).stale;

describe('a key', () => {
  test('is needed, and must be known and not revoked', async () => {
    for (const key of [null, 'off_unknown', '']) {
      const { status, body, headers } = await get('/products', { key });
      expect(status).toBe(401);
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(headers.get('www-authenticate')).toContain('Bearer');
      expect(body).toMatchObject({ status: 401, type: '/api/v1/problems/unauthenticated' });
    }
    const created = await api.ask('POST', `${V1}/keys`, {
      body: { name: 'guest', role: 'technician' },
    });
    const { id, key } = created.body as { id: string; key: string };
    expect(created.headers.get('location')).toBe(`/api/v1/keys/${id}`);
    expect((await get('/me', { key })).body).toMatchObject({ role: 'technician', name: 'guest' });
    expect((await api.ask('DELETE', `${V1}/keys/${id}`)).status).toBe(200);
    expect((await get('/me', { key })).status).toBe(401);
  });

  test('of a customer must name the customer, and no other key may', async () => {
    for (const body of [
      { name: 'x', role: 'customer' },
      { name: 'x', role: 'supplier', customerId: 'acme' },
    ]) {
      const answer = await api.ask('POST', `${V1}/keys`, { body });
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ errors: [{ pointer: '/customerId' }] });
    }
    const body = { name: 'x', role: 'customer', customerId: 'nobody' };
    const unknown = await api.ask('POST', `${V1}/keys`, { body });
    expect(unknown.status).toBe(409);
  });
});

describe('roles', () => {
  test('a technician reads and sets up what is technical, and knows no keys', async () => {
    const key = api.keys.technician;
    for (const path of ['/agents', '/quarantine', '/stock', '/bins', '/consumption', '/sites']) {
      expect((await get(path, { key })).status).toBe(200);
    }
    expect((await get('/keys', { key })).status).toBe(403);
    const product = { id: 'p', name: 'P', unit: 'mg', pieceMassMg: null };
    const refused = await api.ask('POST', `${V1}/products`, { key, body: product });
    expect(refused.status).toBe(403);
    const site = { id: 'tech-site', name: 'T', customerId: 'acme', timeZone: 'Asia/Shanghai' };
    expect((await api.ask('POST', `${V1}/sites`, { key, body: site })).status).toBe(201);
  });

  test('a customer changes nothing', async () => {
    const document = (await get('/openapi.json')).body as OpenApi;
    const key = api.keys.customer;
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of Object.keys(methods).filter((method) => method !== 'get')) {
        const filled = path.replace('{id}', 'acme-bin');
        const answer = await api.ask(method.toUpperCase(), filled, { key, body: {} });
        expect([path, method, answer.status]).toEqual([path, method, 403]);
      }
    }
  });

  test("of another's things a customer learns not even that they are there", async () => {
    for (const path of [
      '/bins/beta-bin',
      '/sites/beta-hall',
      '/customers/beta',
      '/bins/depot-bin',
    ]) {
      const { status, body } = await get(path, { key: api.keys.customer });
      const nothing = await get(path.replace(/[^/]+$/, 'nothing'), { key: api.keys.customer });
      expect(status).toBe(404);
      expect(unnamed(body)).toBe(unnamed(nothing.body));
    }
  });
});

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<
    string,
    Record<
      string,
      {
        operationId?: string;
        summary?: string;
        security?: unknown[];
        responses: Record<string, { description?: string; content?: Record<string, unknown> }>;
        parameters?: { name: string; in: string; required?: boolean; schema: unknown }[];
        requestBody?: unknown;
      }
    >
  >;
  readonly components: {
    schemas: Record<string, unknown>;
    securitySchemes: Record<string, unknown>;
  };
  readonly security: unknown[];
}

describe('every route of the document', () => {
  test('has a name, a summary, parameters, answers and problems, and no dangling reference', async () => {
    const document = (await get('/openapi.json', { key: null })).body as OpenApi;
    expect(document.openapi).toBe('3.1.0');
    expect(document.security).toEqual([{ key: [] }]);
    expect(document.components.securitySchemes).toHaveProperty('key');
    const names = new Set<string>();
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const place = `${method} ${path}`;
        expect(operation.summary, place).toBeTruthy();
        expect(names, place).not.toContain(operation.operationId);
        names.add(operation.operationId ?? '');
        const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
        const placeholders = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        expect(
          inPath.map(({ name }) => name),
          place,
        ).toEqual(placeholders);
        if (method === 'post' || method === 'patch') {
          if (!/\/recompute$|\/\{id\}\/replay$/.test(path))
            expect(operation.requestBody, place).toBeDefined();
        }
        const statuses = Object.keys(operation.responses);
        expect(
          statuses.some((status) => status.startsWith('2')),
          place,
        ).toBe(true);
        for (const status of ['400', '401', '403', '500', '503']) {
          expect(statuses, place).toContain(status);
        }
        for (const [status, response] of Object.entries(operation.responses)) {
          const types = Object.keys(response.content ?? {});
          if (Number(status) >= 400) expect(types).toEqual(['application/problem+json']);
          else expect(types.length, place).toBe(1);
        }
      }
    }
    expect(names.size).toBeGreaterThan(28);
    const references = JSON.stringify(document).matchAll(
      /"\$ref":"#\/components\/schemas\/(\w+)"/g,
    );
    for (const [, name = ''] of references)
      expect(document.components.schemas).toHaveProperty(name);
    expect(Object.keys(document.components.schemas)).toContain('Problem');
  });

  test("that can be read shows a customer nothing of another's", async () => {
    const document = (await get('/openapi.json')).body as OpenApi;
    const things = ['acme', 'beta', 'depot'].flatMap((owner) => [
      owner,
      `${owner}-bin`,
      `${owner}-hall`,
      `${owner}-agent`,
    ]);
    let granted = 0;
    for (const path of Object.keys(document.paths).filter((path) => path.startsWith(V1))) {
      if (document.paths[path]?.['get'] === undefined || path.endsWith('/events')) continue;
      const filled = path.includes('{id}') ? things.map((id) => path.replace('{id}', id)) : [path];
      const queries = path.endsWith('/consumption')
        ? ['bin', 'site', 'customer'].map((by) => `?by=${by}&own=include`)
        : [''];
      for (const place of filled.flatMap((path) => queries.map((query) => `${path}${query}`))) {
        const { status, text } = await api.ask('GET', place, { key: api.keys.customer });
        if (status === 200) granted += 1;
        else expect([403, 404], `${place} ${text}`).toContain(status);
        if (status === 200) expect(text, place).not.toMatch(/beta|depot/);
      }
    }
    expect(granted).toBeGreaterThan(10);
    const everything = (await get('/stock')).text;
    expect(everything).toMatch(/beta-bin/);
    expect(everything).toMatch(/depot-bin/);
  });
});

describe('lists', () => {
  test('come in pages that together are the whole', async () => {
    const all = await pageOf('/bins?limit=1000');
    const seen: unknown[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page = await pageOf(`/bins?limit=1${next === '' ? '' : `&cursor=${next}`}`);
      expect(page.items.length).toBeLessThanOrEqual(1);
      seen.push(...page.items);
      next = page.next;
    }
    expect(seen).toEqual(all.items);
    expect(seen.length).toBe(3);
  });

  test('of readings, movements and gaps come in pages, too', async () => {
    for (const [list, count] of [
      ['/bins/acme-bin/readings', 3],
      ['/bins/acme-bin/movements', 2],
      ['/bins/acme-bin/gaps', 2],
    ] as const) {
      const first = await pageOf(`${list}?limit=1`);
      const rest = await pageOf(`${list}?cursor=${first.next ?? ''}`);
      expect([...first.items, ...rest.items]).toEqual((await pageOf(list)).items);
      expect(rest.items.length).toBe(count - 1);
      expect(rest.next).toBeNull();
    }
  });

  test('refuse cursors that are not theirs', async () => {
    const wrong = ['', 'x', '%00', 'ImFjbWU', encode(7), encode('a/b'), encode('a\0'), encode({})];
    for (const cursor of wrong) {
      const { status, body } = await get(`/bins?cursor=${cursor}`);
      expect([cursor, status]).toEqual([cursor, 400]);
      expect(body).toMatchObject({ type: '/api/v1/problems/invalid-cursor' });
    }
    const text = await get(`/bins/acme-bin/movements?cursor=${encode('acme')}`);
    expect(text.status).toBe(400);
  });

  test('refuse limits that are none, and parameters that they do not have', async () => {
    for (const query of ['limit=0', 'limit=1001', 'limit=', 'limit=1e2', 'limit=x', 'bin=acme']) {
      const { status, body } = await get(`/bins?${query}`);
      expect([query, status]).toEqual([query, 400]);
      const pointer = `/${query.split('=')[0]}`;
      expect(body).toMatchObject({ errors: [{ pointer }] });
    }
  });
});

describe('what is sent', () => {
  test('must be JSON, of its type and of a sensible size', async () => {
    expect((await post('{"id":')).status).toBe(400);
    expect((await post('')).status).toBe(400);
    expect((await post('id=x', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(JSON.stringify({ id: 'x', name: 'x'.repeat(70_000) }))).status).toBe(413);
    for (const raw of ['null', '[]', '7', '{"__proto__":{"id":"x"}}']) {
      const { status, headers } = await post(raw);
      expect([raw, status]).toEqual([raw, 400]);
      expect(headers.get('content-type')).toContain('application/problem+json');
    }
  });

  test('is told all that is wrong with it, with pointers', async () => {
    const body = { id: '../x', name: '', unit: 'kg', pieceMassMg: -1, colour: 'red' };
    const { body: problem } = await api.ask('POST', `${V1}/bins`, { body });
    const { errors } = problem as { errors: { pointer: string; detail: string }[] };
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual([
      '/capacityMg',
      '/colour',
      '/id',
      '/name',
      '/pieceMassMg',
      '/productId',
      '/siteId',
      '/unit',
    ]);
  });

  test('is told what a query or a bulk product needs, not only what it is not', async () => {
    const page = await get('/products?limit=0');
    expect(page.body).toMatchObject({ errors: [{ detail: 'expected a whole number, 1 to 1000' }] });
    const period = await get('/consumption?from=2026-11-01');
    expect(JSON.stringify(period.body)).toContain('expected milliseconds since 1970 UTC, 0 to ');
    const body = { id: 'sand', name: 'Sand', unit: 'mg' };
    const product = await api.ask('POST', `${V1}/products`, { body });
    expect(JSON.stringify(product.body)).toContain('or null for bulk products');
  });

  test('may hold no text that the database cannot keep or nobody can read', async () => {
    for (const name of ['a\0b', '\ud800', 'a\nb', '  ']) {
      const { status } = await api.ask('POST', `${V1}/customers`, { body: { id: 'odd', name } });
      expect([name, status]).toEqual([name, 400]);
    }
    const body = { id: 'fine', name: 'Schrauben 螺丝 🔩' };
    expect((await api.ask('POST', `${V1}/customers`, { body })).status).toBe(201);
    expect((await get('/customers/fine')).body).toEqual(body);
  });

  test('must not be in a path either', async () => {
    for (const id of ['a%00', '%20', '..%2f..', 'x'.repeat(65), '%E0%A4%A']) {
      const { status } = await get(`/bins/${id}`);
      expect([id, status]).toEqual([id, 400]);
    }
  });
});

describe('master data', () => {
  test('is created, read and changed; what is there already is a conflict', async () => {
    const product = { id: 'resin', name: 'Resin', unit: 'mg', pieceMassMg: null };
    const created = await api.ask('POST', `${V1}/products`, { body: product });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/api/v1/products/resin');
    expect(created.body).toEqual(product);
    const again = await api.ask('POST', `${V1}/products`, { body: product });
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({ type: '/api/v1/problems/exists' });
    const renamed = await api.ask('PATCH', `${V1}/products/resin`, { body: { name: 'Harz' } });
    expect(renamed.body).toEqual({ ...product, name: 'Harz' });
    expect((await get('/products/resin')).body).toEqual(renamed.body);
    expect((await api.ask('PATCH', `${V1}/products/resin`, { body: {} })).body).toEqual(
      renamed.body,
    );
    const missing = await api.ask('PATCH', `${V1}/products/none`, { body: { name: 'x' } });
    expect(missing.status).toBe(404);
  });

  test('refers only to what is there', async () => {
    const site = { id: 's', name: 's', customerId: 'nobody', timeZone: 'UTC' };
    const noCustomer = await api.ask('POST', `${V1}/sites`, { body: site });
    expect(noCustomer.body).toMatchObject({ status: 409, title: 'There is no such customer' });
    const zone = { ...site, customerId: null, timeZone: 'Mars/Olympus' };
    expect((await api.ask('POST', `${V1}/sites`, { body: zone })).status).toBe(400);
    for (const timeZone of ['+01:00', '-0530', '+01']) {
      const offset = { ...zone, timeZone };
      expect((await api.ask('POST', `${V1}/sites`, { body: offset })).status).toBe(400);
    }
    const bin = { id: 'b', name: 'b', siteId: 'acme-hall', productId: 'none', capacityMg: 1 };
    expect((await api.ask('POST', `${V1}/bins`, { body: bin })).status).toBe(409);
  });

  test('of a bin takes the mass of a piece from the product, and is dated', async () => {
    const body = {
      id: 'new-bin',
      name: 'New',
      siteId: 'beta-hall',
      productId: 'screw',
      capacityMg: 1_000_000,
    };
    const created = await api.ask('POST', `${V1}/bins`, { body });
    expect(created.body).toEqual({ ...body, tareMg: 0, pieceMassMg: 2_000, since: 0 });
    const since = Date.now() - 1_000;
    const change = { tareMg: 5, since };
    const changed = await api.ask('PATCH', `${V1}/bins/new-bin`, { body: change });
    expect(changed.body).toMatchObject({ tareMg: 5, since });
    const setups = await pageOf('/bins/new-bin/setups');
    expect(setups.items.map(({ since, tareMg }) => [since, tareMg])).toEqual([
      [0, 0],
      [since, 5],
    ]);
    const first = await pageOf('/bins/new-bin/setups?limit=1');
    const rest = await pageOf(`/bins/new-bin/setups?cursor=${first.next ?? ''}`);
    expect([...first.items, ...rest.items]).toEqual(setups.items);
    const future = { tareMg: 6, since: Date.now() + 1_000_000 };
    const refused = await api.ask('PATCH', `${V1}/bins/new-bin`, { body: future });
    expect(refused.body).toMatchObject({ status: 409, type: '/api/v1/problems/since-in-future' });
    expect((await get('/bins/new-bin')).body).toEqual(changed.body);
    const missing = await api.ask('PATCH', `${V1}/bins/none`, { body: { tareMg: 1 } });
    expect(missing.status).toBe(404);
  });

  test('of an agent comes with its secret, once', async () => {
    const body = { id: 'new-agent', siteId: 'acme-hall' };
    const created = await api.ask('POST', `${V1}/agents`, { body });
    expect(created.status).toBe(201);
    const { secret, topicPrefix } = created.body as { secret: string; topicPrefix: string };
    expect(secret.length).toBeGreaterThan(40);
    expect(topicPrefix).toMatch(/^offtake\/v1\/\d+\/new-agent$/);
    const shown = await get('/agents/new-agent');
    expect(shown.body).toMatchObject({ ...body, online: false, seenAt: null, devices: [] });
    expect(shown.text).not.toContain(secret);
    expect((await api.ask('POST', `${V1}/agents`, { body })).status).toBe(409);
  });
});

describe('figures', () => {
  test('stock says how old it is and how well', async () => {
    const { items } = await pageOf('/stock?siteId=acme-hall');
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ binId: 'acme-bin', quantity: 97, health: 'ok' });
    expect(items[0]?.['ageMs']).toBeGreaterThanOrEqual(60_000);
    expect((await pageOf('/stock?customerId=nobody')).items).toEqual([]);
    expect((await get('/stock?customerId=a%20b')).status).toBe(400);
  });

  test('consumption leaves out the depot unless asked', async () => {
    expect((await rows('by=customer')).map(({ key, consumed }) => [key, consumed])).toEqual([
      ['acme', 3],
      ['beta', 3],
    ]);
    expect((await rows('own=include'))[0]).toMatchObject({ key: 'total', consumed: 9 });
    expect((await rows('by=customer&own=only'))[0]).toMatchObject({ key: '_own', consumed: 3 });
  });

  test('consumption names the bins whose source is not well', async () => {
    expect(await stale('binId=acme-bin')).toEqual([]);
    const body = {
      id: 'silent-bin',
      name: 'S',
      siteId: 'acme-hall',
      productId: 'screw',
      capacityMg: 1,
    };
    expect((await api.ask('POST', `${V1}/bins`, { body })).status).toBe(201);
    expect(await stale('customerId=acme')).toEqual(['silent-bin']);
    expect(await stale('own=only')).toEqual([]);
  });

  test('of impossible periods are refused with what to do', async () => {
    const late = 8_640_000_000_000_000;
    for (const query of [
      'from=2&to=1',
      'from=1&to=1',
      'from=0&step=quarter-hour',
      `from=0&to=${late}&step=day`,
      `to=${late + 1}`,
      'from=-1',
      'from=',
      'timeZone=Nowhere',
      'timezone=UTC',
    ]) {
      const { status, body } = await get(`/consumption?${query}`);
      expect([query, status]).toEqual([query, 400]);
      expect((body as { detail: string }).detail).toBeTruthy();
    }
    const edge = await get(`/consumption?from=${late - 1}&to=${late}&step=day`);
    expect(edge.status).toBe(200);
  });

  test('a ledger can be compared with its readings', async () => {
    const compared = await api.ask('POST', `${V1}/bins/acme-bin/recompute`, {
      key: api.keys.technician,
    });
    expect(compared.body).toMatchObject({ binId: 'acme-bin', equal: false });
    const repaired = await api.ask('POST', `${V1}/bins/acme-bin/recompute?repair=true`);
    expect(repaired.status).toBe(200);
    const after = await api.ask('POST', `${V1}/bins/acme-bin/recompute`);
    expect(after.body).toMatchObject({ equal: true });
  });
});

describe('problems', () => {
  test('are explained where their type says', async () => {
    const { body } = await get('/nothing/here');
    const { type, status } = body as { type: string; status: number };
    expect(status).toBe(404);
    const explained = await api.ask('GET', type, { key: null });
    expect(explained.body).toMatchObject({ status: 404, title: 'There is no such place' });
    expect((await get('/problems/nonsense')).status).toBe(404);
    expect((await get('/problems/constructor')).status).toBe(404);
  });

  test('of our own making say nothing of the inside, and carry the id of the request', async () => {
    await api.database.sql.schema.alterTable('quarantine').renameTo('quarantine_away').execute();
    try {
      const { status, text, headers } = await get('/quarantine');
      expect(status).toBe(500);
      expect(text).not.toMatch(/quarantine|relation|select|\.ts/);
      expect(headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
    } finally {
      await api.database.sql.schema.alterTable('quarantine_away').renameTo('quarantine').execute();
    }
  });
});

/** Status of the figures, asked for from that address. */
async function codes(remoteAddress: string, headers: Record<string, string> = {}) {
  const asked = { method: 'GET', url: '/metrics', remoteAddress, headers } as const;
  return (await api.app.inject(asked)).statusCode;
}

describe('upkeep', () => {
  test('figures are told without a key on this machine only, and not through a proxy', async () => {
    for (const local of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
      expect(await codes(local)).toBe(200);
    for (const far of ['203.0.113.9', '::ffff:10.0.0.1', '1.127.0.0']) {
      expect(await codes(far)).toBe(401);
      expect(await codes(far, { authorization: `Bearer ${api.keys.technician}` })).toBe(200);
      expect(await codes(far, { authorization: `Bearer ${api.keys.customer}` })).toBe(403);
    }
    expect(await codes('127.0.0.1', { 'x-forwarded-for': '203.0.113.9' })).toBe(401);
  });

  test('damaged readings are told to whoever watches the program', async () => {
    const damaged = await serve({ fault: () => 'readings.sqlite: malformed' });
    const { status, body } = await damaged.ask('GET', '/healthz', { key: null });
    expect(status).toBe(503);
    expect(body).toMatchObject({ title: 'The stored readings are damaged' });
    expect((body as { detail: string }).detail).toContain('readings.sqlite: malformed');
    await damaged.close();
  });

  test('asks for no key and tells nothing of customers', async () => {
    expect((await api.ask('GET', '/healthz', { key: null })).body).toEqual({ status: 'ok' });
    const metrics = await api.ask('GET', '/metrics', { key: null });
    expect(metrics.status).toBe(200);
    expect(metrics.text).toContain('offtake_http_answer_seconds_count');
    expect(metrics.text).toContain('route="/api/v1/bins/:id"');
    expect(metrics.text).not.toMatch(/acme|beta/);
  });

  test('tells browsers to run nothing foreign, and lets no other site in', async () => {
    for (const path of ['/', `${V1}/products`, '/nothing']) {
      const { headers } = await api.ask('GET', path);
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});
