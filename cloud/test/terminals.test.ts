import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireProgram } from '#shared/testing/programs.ts';
import { HOUR_MS } from '#shared/units.ts';
import type { Consumption } from '../src/http/contract.ts';
import { enterMasterData, history, levelSince, SCREW_MG, TARE_MG } from './acme.ts';
import { AgentAtWork } from './agent-at-work.ts';
import { CloudProcess } from './cloud-process.ts';
import { overhangOf, shows, TerminalBrowser } from './terminal-browser.ts';

describe.runIf(requireProgram('chromium'))('the terminals in a browser', () => {
  let cloud: CloudProcess;
  let agent: AgentAtWork;
  let browser: TerminalBrowser;
  let supplierKey: string;
  let customerKey: string;

  beforeAll(async () => {
    cloud = await CloudProcess.create();
    await cloud.start();
    supplierKey = await cloud.firstKey();
    customerKey = await enterMasterData(post);
    const { secret } = await post<{ secret: string }>('/agents', {
      id: 'acme-north',
      siteId: 'acme-north',
    });
    agent = await AgentAtWork.connect(cloud.brokerUrl, 'acme-north', secret);
    await agent.report({
      version: '1.2.3',
      backlog: 17,
      devices: [
        { bin: 'screws', link: 'hall-1', ok: true },
        { bin: 'silent', link: 'hall-1', ok: false, fault: 'no answer within 1000 ms' },
      ],
    });
    await agent.send(history(Date.now()));
    browser = await TerminalBrowser.launch(cloud.url);
  });

  afterAll(async () => {
    await browser?.close();
    await agent?.leave();
    await cloud?.remove();
  });

  async function post<T>(path: string, body: object): Promise<T> {
    const response = await fetch(`${cloud.url}/api/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${supplierKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  const open = (...args: Parameters<TerminalBrowser['open']>) => browser.open(...args);
  const asSupplier = (place = '', options: BrowserContextOptions = {}): Promise<Page> =>
    browser.openAs(supplierKey, place, options);
  const asCustomer = (place: string): Promise<Page> =>
    browser.openAs(customerKey, place, { terminal: 'customer' });

  test('a wrong key is refused with a clear message, and the right one lets in', async () => {
    const page = await open('/company/', {}, ['401']);
    await page.getByLabel('API key').fill('off_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await shows(page, 'The key is not accepted', '[role=alert]');
    await page.getByLabel('API key').fill(supplierKey);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    expect(await page.evaluate('window.sessionStorage.length')).toBe(0);
  });

  test('a key in the link is taken out of the address bar', async () => {
    const page = await open(`/company/#key=${supplierKey}`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(page.url()).toBe(`${cloud.url}/company/`);
  });

  test('the overview shows what is where, how old it is, and what needs attention', async () => {
    const page = await asSupplier();
    const row = page.locator('[data-bin=screws]');
    await row.waitFor();
    expect(await row.innerText()).toMatch(/Rack A1\s+Acme Drives · Hall North\s+Screw M4/);
    expect(await row.innerText()).toMatch(/950 pieces/);
    expect(await row.innerText()).toMatch(/\d+ (sec|min) ago\s+OK/);
    await shows(page, '3.5 kg', '[data-bin=pellets]');
    expect(await page.locator('[data-bin=silent]').innerText()).toMatch(
      /never measured[\s\S]*never\s+Silent/,
    );
    expect(await page.locator('[data-bin=own-screws]').count()).toBe(0);

    await page.getByLabel('Search').fill('pellets');
    await shows(page, '1 of 4 bins');
    expect(await page.locator('[data-bin]').count()).toBe(1);
  });

  test('our own stock is on a page of its own', async () => {
    const page = await asSupplier('#/own-stock');
    await page.locator('[data-bin=own-screws]').waitFor();
    expect(await page.locator('[data-bin]').count()).toBe(1);
  });

  test('consumption is what the ledger says, and leads down to the bin', async () => {
    const page = await asSupplier('#/consumption?period=7-days&unit=piece');
    const response = await fetch(
      `${cloud.url}/api/v1/consumption?by=product&from=${Date.now() - 24 * HOUR_MS}&to=${Date.now() + HOUR_MS}`,
      { headers: { authorization: `Bearer ${supplierKey}` } },
    );
    const { rows } = (await response.json()) as Consumption;
    const screws = rows.find(({ key }) => key === 'm4');
    expect(screws?.consumed).toBe(50);
    await shows(page, '50 pieces', '[data-key=m4]');
    await page.getByRole('img', { name: /Consumption by day/ }).waitFor();
    expect(await page.locator('[data-key=pa6]').count()).toBe(0);

    await page.getByRole('link', { name: 'Screw M4' }).click();
    await page.getByRole('link', { name: 'Acme Drives' }).click();
    await page.getByRole('link', { name: 'Hall North' }).click();
    await page.locator('[data-key=screws]').getByRole('link').click();
    await page.getByRole('heading', { name: 'Rack A1' }).waitFor();
  });

  test('bulk is told in kilograms, apart from pieces', async () => {
    const page = await asSupplier('#/consumption?period=7-days');
    await page.getByText('Bulk (kg)').click();
    await shows(page, '0.5 kg', '[data-key=pa6]');
    expect(await page.locator('[data-key=m4]').count()).toBe(0);
  });

  test('a bin shows its curve, its movements and its setup', async () => {
    const page = await asSupplier('#/bins/screws?period=7-days');
    await page.getByRole('img', { name: /Stock over time/ }).waitFor();
    const movements = page.getByRole('table', { name: 'Movements' });
    await movements.getByText('Consumption').first().waitFor();
    await movements.getByText('−10 pieces').first().waitFor();
    await shows(page, 'Europe/Berlin');
    await shows(page, '2 g');
  });

  test('agents show their backlog and the faults of their scales', async () => {
    const page = await asSupplier('#/agents');
    const card = page.locator('[data-agent=acme-north]');
    await card.getByText('no answer within 1000 ms').waitFor();
    expect(await card.innerText()).toMatch(/Online[\s\S]*17[\s\S]*2, 1 with a fault[\s\S]*1\.2\.3/);
  });

  test('a customer is sent to its own terminal and sees its own sites only', async () => {
    const page = await open(`/company/#key=${customerKey}`);
    await page.waitForURL(`${cloud.url}/customer/`);
    await page.locator('[data-bin=screws]').waitFor();
    expect(await page.locator('[data-bin]').count()).toBe(3);
    const text = await page.locator('body').innerText();
    expect(text).not.toMatch(/Rival|warehouse|Agents/);

    const supplier = await open(`/customer/#key=${supplierKey}`);
    await supplier.waitForURL(`${cloud.url}/company/`);
  });

  test('a customer sees what it consumed', async () => {
    const page = await asCustomer('#/consumption?by=site&unit=piece');
    await shows(page, '50 pieces', '[data-key=acme-north]');
  });

  test('every page speaks Chinese and fits a phone, light and dark', async () => {
    const phone = { viewport: { width: 390, height: 844 }, locale: 'zh-CN' } as const;
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await asSupplier('', { ...phone, colorScheme });
      for (const [place, title] of [
        ['#/', '总览'],
        ['#/own-stock', '自有库存'],
        ['#/consumption', '消耗'],
        ['#/agents', '采集代理'],
        ['#/bins/screws', 'Rack A1'],
        ['#/configuration/acme-north', 'acme-north 的配置'],
      ] as const) {
        await page.goto(`${cloud.url}/company/${place}`);
        await page.getByRole('heading', { name: title, level: 1 }).waitFor();
        await page.locator('[role=status][aria-label]').waitFor({ state: 'detached' });
        expect({ place, overhang: await overhangOf(page) }).toEqual({ place, overhang: 0 });
      }
      const scheme = await page.locator('html').getAttribute('data-mantine-color-scheme');
      expect(scheme).toBe(colorScheme);
    }
  });

  test('what is withdrawn is seen without asking, also after the cloud was away', async () => {
    const page = await open(`/company/#key=${supplierKey}`, {}, [
      'ERR_CONNECTION_REFUSED',
      'ERR_INCOMPLETE_CHUNKED_ENCODING',
      'ERR_EMPTY_RESPONSE',
      'ERR_CONNECTION_RESET',
    ]);
    await shows(page, '950 pieces', '[data-bin=screws]');
    await shows(page, 'Live', 'header');
    await agent.send(levelSince('screws', Date.now(), TARE_MG + 930 * SCREW_MG));
    await shows(page, '930 pieces', '[data-bin=screws]');

    await cloud.stop();
    await shows(page, 'Reconnecting', 'header');
    await cloud.start();
    await shows(page, 'Live', 'header');
    await shows(page, '930 pieces', '[data-bin=screws]');
  });
});
