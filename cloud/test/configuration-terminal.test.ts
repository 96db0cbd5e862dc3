import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireProgram } from '#shared/testing/programs.ts';
import { Api } from '../../demo/src/api.ts';
import { enterMasterData } from './acme.ts';
import { AgentAtWork } from './agent-at-work.ts';
import { CloudProcess } from './cloud-process.ts';
import { overhangOf, shows, TerminalBrowser } from './terminal-browser.ts';

const FIRST = `report:
  heartbeatS: 60
links:
  - name: hall-1
    protocol: mt-sics
    address: 192.168.1.20:4305
    scales:
      - bin: screws
        divisionMg: 1000
`;

const text = (page: Page) => page.getByLabel('Sections, in YAML');
const press = (page: Page, name: string) => page.getByRole('button', { name }).click();

describe.runIf(requireProgram('chromium'))('the configuration of an agent in a browser', () => {
  let cloud: CloudProcess;
  let browser: TerminalBrowser;
  let agent: AgentAtWork;
  let api: Api;
  let key: string;
  const PLACE = '#/configuration/acme-north';

  beforeAll(async () => {
    cloud = await CloudProcess.create();
    await cloud.start();
    key = await cloud.firstKey();
    api = new Api(cloud.url, key);
    await enterMasterData((path, body) => api.create(path, body));
    const enrolled = { id: 'acme-north', siteId: 'acme-north' };
    const { secret } = await api.create<{ secret: string }>('/agents', enrolled);
    agent = await AgentAtWork.connect(cloud.brokerUrl, 'acme-north', secret);
    await agent.report({ version: '1.2.3', backlog: 0, devices: [] });
    browser = await TerminalBrowser.launch(cloud.url);
  });

  afterAll(async () => {
    await browser?.close();
    await agent?.leave();
    await cloud?.remove();
  });

  test('is written, compared, sent, tried and in force, each seen as it happens', async () => {
    const page = await browser.openAs(key, '#/agents');
    await page.locator('[data-agent=acme-north]').getByRole('link', { name: 'Local file' }).click();
    await page.getByRole('heading', { name: 'Configuration of acme-north' }).waitFor();
    await shows(page, 'the agent runs by its local file alone', '[data-state=local]');

    await text(page).fill('report:\n  heartbeatS: 60\n links: []\n');
    await shows(page, 'line 3', '[role=alert]');
    expect(await page.getByRole('button', { name: 'Show the difference' }).isEnabled()).toBe(false);
    await text(page).fill(FIRST);
    await press(page, 'Show the difference');
    await shows(page, '+ report:', '[data-difference]');
    await page.getByLabel('Note').fill('the new scale');
    await press(page, 'Send');

    await shows(page, 'Version 1 waits', '[data-state=waiting]');
    await shows(page, 'the new scale', '[data-version="1"]');
    await agent.say({ version: 1, state: 'trial', inForce: 1 });
    await shows(page, 'Version 1 on trial', '[data-state=trial]');
    await agent.say({ version: 1, state: 'applied', inForce: 1 });
    await shows(page, 'Version 1 in force', '[data-state=applied]');
    expect(await text(page).inputValue()).toContain('heartbeatS: 60');
  });

  test('that the cloud does not take is told by line, and the text stays', async () => {
    const page = await browser.openAs(key, PLACE, { expectedErrors: ['409', '400'] });
    await text(page).fill(
      `${FIRST}${FIRST.slice(FIRST.indexOf('  - name')).replace('screws', 'x')}`,
    );
    await press(page, 'Show the difference');
    await press(page, 'Send');
    await shows(page, 'The configuration was not taken', '[role=alert]');
    const told = await page.getByRole('alert').innerText();
    expect(told).toMatch(/line 14\s*links\.1\.scales\.0\.bin: expected a bin of site acme-north/);
    expect(told).toMatch(/line 10\s*links\.1\.name: expected a name that no other link has/);
    expect(await text(page).inputValue()).toContain('bin: x');

    await text(page).fill('log: loud\n');
    await press(page, 'Show the difference');
    await press(page, 'Send');
    await shows(page, /log: expected one of debug, info/, '[role=alert]');
    await press(page, 'Discard the changes');
    expect(await text(page).inputValue()).toContain('heartbeatS: 60');
  });

  test('that the agent took back says why, and an older version is restored', async () => {
    const page = await browser.openAs(key, PLACE);
    await text(page).fill(FIRST.replace('4305', '9'));
    await press(page, 'Show the difference');
    await shows(page, '+     address: 192.168.1.20:9', '[data-difference]');
    await shows(page, '−     address: 192.168.1.20:4305', '[data-difference]');
    await shows(page, '2 lines are the same', '[data-difference]');
    await press(page, 'Send');
    await shows(page, 'Version 2 waits', '[data-state=waiting]');
    const reason = 'within 60 s: link hall-1: no weight from screws';
    const problems = [{ key: 'links.0.address', expected: 'host:port' }];
    await agent.say({ version: 2, state: 'rolled-back', inForce: 1, reason, problems });
    await shows(page, reason, '[data-state=rolled-back]');
    await shows(page, 'version 1', '[data-state=rolled-back]');
    expect(await page.locator('section[data-state]').innerText()).toMatch(
      /line 6\s*links\.0\.address/,
    );

    await press(page, 'Restore version 1');
    await shows(page, 'There is no difference.');
    await press(page, 'Send');
    await shows(page, 'Version 3 waits', '[data-state=waiting]');
    await agent.say({ version: 3, state: 'applied', inForce: 3 });
    await shows(page, 'Version 3 in force', '[data-state=applied]');
  });

  test('that somebody else changed meanwhile is not overwritten unseen', async () => {
    const page = await browser.openAs(key, PLACE);
    await text(page).fill('log: debug\n');
    const theirs = { config: { log: 'warn' }, expectedVersion: 3, note: '' };
    await api.put('/agents/acme-north/config', theirs);
    await shows(page, 'Version 4 was sent meanwhile');
    expect(await text(page).inputValue()).toBe('log: debug\n');
    await press(page, 'Keep my text');
    await press(page, 'Show the difference');
    await press(page, 'Send');
    await shows(page, 'Version 5 waits', '[data-state=waiting]');
    await text(page).fill('log: info\n');
    await press(page, 'Back to the local file');
    await press(page, 'Send');
    await shows(page, 'Version 6 waits', '[data-state=waiting]');
    expect(await text(page).inputValue()).toBe('log: info\n');
  });

  test('speaks Chinese and fits a phone, light and dark', async () => {
    const phone = { viewport: { width: 390, height: 844 }, locale: 'zh-CN' } as const;
    await agent.say({ version: 6, state: 'refused', inForce: 5, reason: '1 fault' });
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.openAs(key, PLACE, { ...phone, colorScheme });
      await shows(page, '版本 6 被拒绝', '[data-state=refused]');
      await page.getByLabel('各节内容（YAML）').fill(FIRST);
      expect(await overhangOf(page)).toBe(0);
      await press(page, '查看差异');
      await page.locator('[data-difference]').waitFor();
      expect(await overhangOf(page)).toBe(0);
    }
  });
});
