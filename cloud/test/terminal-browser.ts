import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

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
/** Generous, since it only decides how soon a failure is told. */
const PATIENCE_MS = 60_000;

/** The built terminals in a real browser; for tests only. */
export class TerminalBrowser {
  readonly #browser: Browser;
  readonly #url: string;

  private constructor(browser: Browser, url: string) {
    this.#browser = browser;
    this.#url = url;
  }

  /** @param url of a running cloud */
  static async launch(url: string): Promise<TerminalBrowser> {
    const built = join(import.meta.dirname, '..', 'terminals', 'dist', 'company', 'index.html');
    if (!existsSync(built)) throw new Error('the terminals are not built: run `npm run build`');
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
    return new TerminalBrowser(browser, url);
  }

  /** A page that belongs to the test under way, which fails where the page has other faults. */
  async open(
    address: string,
    options: BrowserContextOptions = {},
    expectedErrors: readonly string[] = [],
  ): Promise<Page> {
    const context = await this.#browser.newContext({
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    onTestFinished(async () => {
      await context.close();
      const unexpected = faults.filter(
        (fault) => !expectedErrors.some((expected) => fault.includes(expected)),
      );
      if (unexpected.length > 0) throw new Error(`the page had faults: ${unexpected.join('\n')}`);
    });
    await page.goto(`${this.#url}${address}`);
    return page;
  }

  /** As the holder of a key, at a place such as `#/agents`. */
  async openAs(
    key: string,
    place: string,
    {
      terminal = 'company',
      expectedErrors = [],
      ...options
    }: BrowserContextOptions & { terminal?: string; expectedErrors?: readonly string[] } = {},
  ): Promise<Page> {
    const page = await this.open(`/${terminal}/#key=${key}`, options, expectedErrors);
    await page.locator('#main').waitFor();
    await page.goto(`${this.#url}/${terminal}/${place}`);
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** Waits until the page does. */
export async function shows(page: Page, text: string | RegExp, within = 'body'): Promise<void> {
  await page.locator(within).getByText(text).first().waitFor();
}

/** How far the page reaches beyond its window, px. */
export async function overhangOf(page: Page): Promise<unknown> {
  return await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
}
