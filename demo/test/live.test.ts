import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { agentId, binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { DAY_MS, SECOND_MS } from '#shared/units.ts';
import type { StockView } from '../../cloud/src/http/contract.ts';
import { CloudProcess } from '../../cloud/test/cloud-process.ts';
import type { Entry } from '../../edge-agent/src/outbox/entry.ts';
import { Outbox } from '../../edge-agent/src/outbox/outbox.ts';
import { Uplink } from '../../edge-agent/src/uplink/uplink.ts';
import { Api } from '../src/api.ts';

const BINS = 20;
/** The last bin is left out of the backlog: its readings are of this moment. */
const LIVE_BIN = binId(`north-${BINS - 1}`);
/** Behind so many readings the first live one is queued; more, where a machine drains them at once. */
const FIRST_BACKLOG = 120_000;
const MOST_BACKLOG = 4_000_000;
const GROUP = 10_000;
const FIGURES = 5;

const TARE_MG = 100_000;
const binOf = (n: number) => binId(`north-${n % (BINS - 1)}`);

function taken(n: number, at: number, bin = binOf(n)): Entry {
  const reading: Reading = {
    bin,
    at,
    value: TARE_MG + 2_000 * (1_000 + (n % 500)),
    unit: 'mg',
    samples: 5,
    spread: 40,
    quality: 'good',
    synced: true,
  };
  return { reading, gap: null, accountedTo: at, unconfirmed: false, clock: null };
}

async function provide(api: Api): Promise<string> {
  await api.create('/products', { id: 'screw', name: 'Screw', unit: 'piece', pieceMassMg: 2_000 });
  await api.create('/customers', { id: 'acme', name: 'Acme' });
  const site = { id: 'north', name: 'North', customerId: 'acme', timeZone: 'UTC' };
  await api.create('/sites', site);
  for (let n = 0; n < BINS; n += 1) {
    const bin = { id: `north-${n}`, name: `Bin ${n}`, siteId: 'north', productId: 'screw' };
    await api.create('/bins', { ...bin, capacityMg: 6_000_000, tareMg: TARE_MG });
  }
  const agent = await api.create<{ secret: string }>('/agents', { id: 'north', siteId: 'north' });
  return agent.secret;
}

/** @returns the live figure of that time; null where its batch was folded first */
async function shownFigure(api: Api, at: number): Promise<StockView['live']> {
  for (;;) {
    const { items } = await api.get<{ items: StockView[] }>('/stock');
    const shown = items.find(({ binId: id }) => id === LIVE_BIN);
    if (shown?.live?.readAt === at) return shown.live;
    if (shown?.readAt === at) return null;
    await delay(20);
  }
}

test('while a large backlog drains, live figures reach the API ahead of it', async () => {
  const cloud = await CloudProcess.create();
  onTestFinished(() => cloud.remove());
  await cloud.start();
  const api = new Api(cloud.url, await cloud.firstKey());
  const secret = await provide(api);

  const folder = mkdtempSync(join(tmpdir(), 'offtake-live-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const outbox = new Outbox(folder, { stamp: 'x' });
  const began = Date.now() - 30 * DAY_MS;
  let kept = 0;
  const fillBacklog = (backlog: number) => {
    while (outbox.backlog < backlog) {
      const group = Array.from({ length: GROUP }, (_, n) => kept + n);
      outbox.append(group.map((n) => taken(n, began + n * SECOND_MS)));
      kept += GROUP;
    }
  };
  fillBacklog(FIRST_BACKLOG);
  const uplink = new Uplink({
    broker: cloud.brokerUrl,
    agent: { id: agentId('north'), secret },
    outbox,
    clock: systemClock,
    log: createLog('agent', 'silent'),
    version: '1',
    batchReadings: 500,
    healthMs: 60_000,
    devices: () => [],
    onFatal: (error) => {
      throw error;
    },
  });
  onTestFinished(() => {
    outbox.close();
  });
  onTestFinished(() => uplink.stop(100));
  uplink.start();
  await vi.waitFor(() => expect(outbox.progress.receipted).toBeGreaterThan(0), WAIT);

  const figures: NonNullable<StockView['live']>[] = [];
  const delays: number[] = [];
  let backlog = FIRST_BACKLOG;
  for (let n = 0; figures.length < FIGURES; n += 1) {
    fillBacklog(backlog);
    const fresh = taken(n % 500, Date.now(), LIVE_BIN);
    outbox.append([fresh]);
    const since = performance.now();
    uplink.wake([fresh.reading]);
    const shown = await shownFigure(api, fresh.reading.at);
    if (shown !== null) {
      delays.push(Math.round(performance.now() - since));
      figures.push(shown);
      continue;
    }
    backlog *= 2;
    expect(backlog, 'its batch always came first').toBeLessThanOrEqual(MOST_BACKLOG);
  }
  console.log(`live figures came ${delays.join(', ')} ms after they were measured`);
  expect(figures[0]).toMatchObject({ quantity: 1_000, quality: 'good' });

  await vi.waitFor(() => expect(outbox.backlog).toBe(0), { ...WAIT, timeout: 600_000 });
  const { items } = await api.get<{ items: StockView[] }>('/stock');
  expect(items.map(({ live }) => live)).toEqual(items.map(() => null));
}, 900_000);
