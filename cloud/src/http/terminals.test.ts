import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve, type Served } from './testing/served.ts';

let api: Served;
let terminals: string;
beforeAll(async () => {
  terminals = await mkdtemp(join(tmpdir(), 'offtake-built-'));
  await writeFile(join(terminals, '..', 'offtake-secret'), 'secret');
  api = await serve({ terminals });
});
afterAll(async () => {
  await api.close();
  await rm(terminals, { recursive: true });
  await rm(join(tmpdir(), 'offtake-secret'));
});

const get = (path: string) => api.ask('GET', path, { key: null });

test('what was not built says how to build it, and is served as soon as it is', async () => {
  const missing = await get('/company/');
  expect(missing.status).toBe(404);
  expect(missing.text).toContain('npm run build');
  for (const page of ['company', 'customer']) {
    await mkdir(join(terminals, page), { recursive: true });
    await writeFile(join(terminals, page, 'index.html'), `<title>${page}</title>`);
  }
  await mkdir(join(terminals, 'assets'), { recursive: true });
  await writeFile(join(terminals, 'assets', 'app-1234.js'), 'export {};');
  for (const path of ['/company/', '/company', '/company/stock/acme', '/company/?x=1.html']) {
    const answer = await get(path);
    const page = answer.status === 301 ? await get(answer.headers.get('location') ?? '') : answer;
    expect([path, page.status, page.text]).toEqual([path, 200, '<title>company</title>']);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  }
  expect((await get('/customer/')).text).toContain('customer');
});

test('assets are kept by browsers for ever, since their names change', async () => {
  const { status, headers } = await get('/assets/app-1234.js');
  expect(status).toBe(200);
  expect(headers.get('cache-control')).toContain('immutable');
  expect(headers.get('content-type')).toContain('javascript');
});

test('the root leads to the company terminal', async () => {
  const { status, headers } = await get('/');
  expect([status, headers.get('location')]).toEqual([302, '/company/']);
});

test('what is missing is a problem, and nothing outside of the folder is served', async () => {
  for (const path of [
    '/company/missing.js',
    '/assets/missing.js',
    '/elsewhere',
    '/companyx',
    '/..%2fofftake-secret',
    '/company/..%2f..%2f..%2fofftake-secret',
    '/.%2e/offtake-secret',
    '/%00',
  ]) {
    const { status, headers, text } = await get(path);
    expect([path, status < 500, status >= 400]).toEqual([path, true, true]);
    expect(headers.get('content-type'), path).toContain('application/problem+json');
    expect(text).not.toContain('"secret"');
  }
  expect((await api.ask('POST', '/company/', { key: null })).status).toBe(404);
});
