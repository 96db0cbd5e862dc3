import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { openPanel, type Panel } from '../control/http.ts';
import { faultRule } from '../faults/section.ts';
import { startSimulator, type RunningSimulator } from '../run.ts';
import { parseScenario } from '../scenario/scenario.ts';
import { smallText } from '../testing/small-scenario.ts';

const CHROMIUM = '/usr/bin/chromium';
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Nobody picks while the test looks. */
const quietScenario = () =>
  parseScenario(
    'quiet.yaml',
    smallText().replaceAll(
      /use: \{.*\}/g,
      'events: [{ kind: put, quantity: 1, afterS: [1000000] }]',
    ),
  );

const stateDir = mkdtempSync(join(tmpdir(), 'panel-'));
const start = (): Promise<RunningSimulator> =>
  startSimulator({
    scenario: quietScenario(),
    stateDir,
    ptyDir: null,
    clock: systemClock,
    log: createLog('sim', 'silent'),
  });
let simulator: RunningSimulator;
let panel: Panel;
const quantity = (bin: string): number =>
  simulator.control.bins().find((view) => view.bin === bin)?.quantity ?? 0;

beforeAll(async () => {
  simulator = await start();
  panel = await openPanel(simulator.control, 0);
});
afterAll(async () => {
  await panel.close();
  await simulator.close();
  rmSync(stateDir, { recursive: true });
});

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(new URL(path, panel.url), {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, answer: await response.json() };
}

/** A client of the Modbus TCP link. */
async function client(): Promise<Socket> {
  const port = simulator.links.find(({ link }) => link === 'tcp')?.port ?? 0;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}
const REQUEST = Buffer.from('000100000006010400000005', 'hex');

describe('requests that are not for us', () => {
  test('another name that leads here is refused', async () => {
    const { port } = new URL(panel.url);
    const status = await new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: '/', headers: { host: 'evil.example' } })
        .on('response', (response) => {
          response.resume();
          resolve(response.statusCode);
        })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });

  test("another site's page is refused, and a form's type too", async () => {
    const put = ['api/bins/workshop-washers/put', { quantity: 1 }] as const;
    expect((await post(...put, { origin: 'http://evil.example' })).status).toBe(403);
    expect((await post(...put, { 'content-type': 'text/plain' })).status).toBe(415);
    expect(simulator.control.bins()[0]?.quantity).toBe(2000);
  });
});

test('what is wrong is said', async () => {
  const cases = [
    ['api/bins/none/put', { quantity: 1 }, 404, 'there is no such bin'],
    [
      'api/bins/workshop-washers/take',
      { quantity: 9_999 },
      409,
      'there is not that much in the bin',
    ],
    ['api/bins/workshop-washers/put', { quantity: 0 }, 400, 'quantity'],
    ['api/faults', { link: 'workshop/tcp', kind: 'wrong-crc' }, 409, 'cannot happen'],
    ['api/faults', { link: 'workshop/tcp', kind: 'nonsense' }, 400, 'kind'],
    ['api/faults', { link: 'workshop/tcp', unit: 9, kind: 'no-answer' }, 404, 'no such unit'],
  ] as const;
  for (const [path, body, status, words] of cases) {
    const refused = await post(path, body);
    expect(refused.status, path).toBe(status);
    expect(JSON.stringify(refused.answer)).toContain(words);
  }
});

test('what was put by hand is in the truth once, and still there after a restart', async () => {
  const clamps = () => simulator.control.bins().find(({ bin }) => bin === 'workshop-clamps');
  const before = clamps()?.quantity ?? 0;
  await post('api/bins/workshop-clamps/put', { quantity: 7 });
  await post('api/bins/workshop-clamps/take', { quantity: 3 });
  const after = clamps();
  expect(after?.quantity).toBe(before + 4);
  await panel.close();
  await simulator.close();
  simulator = await start();
  panel = await openPanel(simulator.control, 0);
  expect(clamps()).toMatchObject({ quantity: before + 4, massMg: after?.massMg });
  await simulator.close();
  const truth = readFileSync(join(stateDir, 'truth.jsonl'), 'utf8').trimEnd().split('\n');
  const told = truth.map((line) => JSON.parse(line) as { bin: string; quantity: number });
  expect(
    told.filter(({ bin }) => bin === 'workshop-clamps').map(({ quantity }) => quantity),
  ).toEqual([7, -3]);
  await panel.close();
  simulator = await start();
  panel = await openPanel(simulator.control, 0);
});

describe.runIf(requireProgram('chromium'))('the page in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  });
  afterAll(async () => {
    await browser.close();
  });

  async function open(
    colorScheme: 'light' | 'dark' = 'light',
    url = panel.url,
  ): Promise<[Page, string[]]> {
    const context = await browser.newContext({ colorScheme, locale: 'en', viewport: SIZE });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    await page.locator('[data-bin=workshop-washers]').waitFor();
    return [page, complaints];
  }
  const SIZE = { width: 1280, height: 900 };

  test('goods are put with the keyboard, faults injected, seen in the frames and cleared', async () => {
    const [page, complaints] = await open();
    const row = page.locator('[data-bin=workshop-washers]');
    const before = simulator.control.bins()[0]?.quantity ?? 0;
    await row.locator('input').fill('25');
    await row.locator('input').press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(() => simulator.control.bins()[0]?.quantity).toBe(before + 25);
    await expect.poll(() => row.innerText()).toContain(`${(before + 25).toLocaleString('en')} pcs`);

    await page.locator('[name=link]').selectOption('workshop/tcp');
    await page.locator('[name=kind]').selectOption('exception');
    await page.locator('[name=count]').fill('1');
    await page.locator('[name=count]').press('Enter');
    await expect.poll(() => simulator.control.faults().length).toBe(1);
    const socket = await client();
    const answer = once(socket, 'data') as Promise<[Buffer]>;
    socket.write(REQUEST);
    expect((await answer)[0].subarray(7)).toEqual(Buffer.from([0x84, 4]));
    const frames = page.locator('#frames');
    await expect.poll(() => frames.innerText()).toContain('exception 4 server device failure');
    expect(await frames.innerText()).toContain('00 01 00 00 00 06 01 04 00 00 00 05');
    expect(await frames.innerText()).toContain('address 0 (30001)');

    await page.locator('#pause').click();
    const shown = await frames.innerText();
    const next = once(socket, 'data');
    socket.write(REQUEST);
    await next;
    await page.locator('#faults button').click();
    await expect.poll(() => page.locator('#faults').innerText()).toBe('No faults.');
    expect(await frames.innerText()).toBe(shown);
    expect(simulator.control.faults()).toEqual([]);
    await page.locator('#pause').click();
    await expect.poll(() => frames.innerText()).toContain('values 0 ');
    await page.locator('#frames-link').selectOption('workshop/sics');
    await expect.poll(() => frames.innerText()).toBe('');
    socket.destroy();
    expect(complaints).toEqual([]);
  });

  test('what was done by mistake is undone, and a bulk product is put in kg', async () => {
    const [page, complaints] = await open();
    const [washers, sand] = [quantity('workshop-washers'), quantity('workshop-sand')];
    const row = page.locator('[data-bin=workshop-washers]');
    await row.locator('input').fill('500');
    await row.getByText('Take', { exact: true }).click();
    await expect.poll(() => quantity('workshop-washers')).toBe(washers - 500);
    await expect.poll(() => page.locator('#message').innerText()).toContain('Taken out: 500 pcs');
    await page.locator('#undo').click();
    await expect.poll(() => quantity('workshop-washers')).toBe(washers);
    await expect.poll(() => page.locator('#message').innerText()).toBe('Undone: 500 pcs, Washers.');
    const bulk = page.locator('[data-bin=workshop-sand]');
    await bulk.locator('input').fill('1.5');
    await bulk.getByText('Put', { exact: true }).click();
    await expect.poll(() => quantity('workshop-sand')).toBe(sand + 1_500_000);
    expect(complaints).toEqual([]);
  });

  test('bins are found by their words, and frames by what is wrong with them', async () => {
    const [page] = await open();
    await page.locator('#seek').fill('sand sics');
    await expect.poll(() => page.locator('#bins tr:visible').count()).toBe(1);
    const socket = await client();
    const answered = once(socket, 'data');
    socket.write(REQUEST);
    await answered;
    simulator.control.inject('tcp', null, faultRule.parse({ kind: 'truncated', count: 1 }));
    const struck = once(socket, 'data');
    socket.write(REQUEST);
    await struck;
    socket.destroy();
    await page.locator('#frames-faults').check();
    const frames = page.locator('#frames tr');
    await expect.poll(() => frames.last().innerText()).toContain('exception');
    await expect.poll(() => frames.first().innerText()).toContain('truncated');
    const wrong = await frames.count();
    await page.locator('#frames-faults').uncheck();
    await expect.poll(() => frames.count()).toBeGreaterThan(wrong);
    simulator.control.clear(null);
  });

  test('on a telephone everything can be reached without scrolling sideways', async () => {
    const [page] = await open();
    await page.setViewportSize({ width: 390, height: 844 });
    for (const language of ['en', 'zh']) {
      await page.locator('#language').selectOption(language);
      const wider = await page.evaluate(
        `[...document.querySelectorAll('.scroll, body')].filter(
          (part) => part.scrollWidth > part.clientWidth).length`,
      );
      expect(wider).toBe(0);
    }
  });

  test('a page whose simulator stopped says so at once, and since when', async () => {
    const other = await openPanel(simulator.control, 0);
    const [page] = await open('light', other.url);
    expect(await page.locator('#stopped').isVisible()).toBe(false);
    await other.close();
    await page.locator('#stopped').waitFor();
    expect(await page.locator('#stopped').innerText()).toMatch(
      /The simulator has stopped\. .* last heard at \d\d:\d\d:\d\d/,
    );
  });

  test('it speaks Chinese, remembers it, and follows a dark desktop', async () => {
    const [page, complaints] = await open('dark');
    await page.locator('#language').selectOption('zh');
    await page.reload();
    await page.locator('[data-bin=workshop-washers]').waitFor();
    await expect.poll(() => page.locator('h1').innerText()).toContain('模拟器');
    const body = page.locator('body');
    for (const word of ['放入', '取出', '去皮', '清零', '注入', '暂停', '稳定']) {
      await expect.poll(() => body.innerText()).toContain(word);
    }
    const paper = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(paper).toBe('rgb(20, 23, 27)');
    expect(complaints).toEqual([]);
  });
});
