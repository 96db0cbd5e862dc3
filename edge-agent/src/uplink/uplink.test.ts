import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { agentId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { MAX_AHEAD_MS } from '#shared/wire/receipt.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { connectAsync } from 'mqtt';
import { Outbox } from '../outbox/outbox.ts';
import { aedesBroker, mosquittoBroker, type TestBroker } from '../testing/brokers.ts';
import { CloudPeer } from '../testing/cloud-peer.ts';
import { entries, entry, reading } from '../testing/entries.ts';
import { freshFolder } from '../testing/folder.ts';
import { Uplink, type UplinkOptions } from './uplink.ts';

const AGENT = { id: agentId('acme-north'), secret: 'secret' };

function openOutbox(): Outbox {
  const outbox = new Outbox(freshFolder(), { stamp: 'now' });
  onTestFinished(() => outbox.close());
  return outbox;
}

function startUplink(
  broker: TestBroker,
  outbox: Outbox,
  options: Partial<UplinkOptions> = {},
): Uplink {
  const uplink = new Uplink({
    broker: broker.url,
    agent: AGENT,
    outbox,
    clock: systemClock,
    log: createLog('agent', 'silent'),
    version: '1.2.3',
    batchReadings: 10,
    healthMs: 60_000,
    devices: () => [],
    onFatal: (error) => {
      throw error;
    },
    tickMs: 20,
    resendMs: 100,
    ...options,
  });
  onTestFinished(() => uplink.stop(100));
  uplink.start();
  return uplink;
}

const values = (peer: CloudPeer): (number | null)[] => peer.readings.map(({ value }) => value);
const series = (first: number, last: number): (number | null)[] =>
  entries(first, last).map((each) => each.reading.value);

const BROKERS: readonly (readonly [string, () => Promise<TestBroker>])[] = [
  ['aedes', aedesBroker],
  ...(requireProgram('mosquitto') ? ([['mosquitto', mosquittoBroker]] as const) : []),
];

describe.each(BROKERS)('over %s', (_, start) => {
  async function meet(): Promise<{ broker: TestBroker; peer: CloudPeer; outbox: Outbox }> {
    const broker = await start();
    onTestFinished(() => broker.stop());
    const peer = await CloudPeer.at(broker.url, AGENT.id);
    onTestFinished(() => peer.close());
    return { broker, peer, outbox: openOutbox() };
  }

  test('a backlog arrives once, in order, and is trimmed by receipts', async () => {
    const { broker, peer, outbox } = await meet();
    outbox.append(entries(1, 995));
    startUplink(broker, outbox);
    await vi.waitFor(() => expect(outbox.backlog).toBe(0), WAIT);
    expect(values(peer)).toEqual(series(1, 995));
  });

  test('what is committed while connected goes out at once', async () => {
    const { broker, peer, outbox } = await meet();
    const uplink = startUplink(broker, outbox, { tickMs: 60_000 });
    await vi.waitFor(() => expect(uplink.isConnected).toBe(true), WAIT);
    outbox.append([entry(1)]);
    uplink.wake([reading(1)]);
    await vi.waitFor(() => expect(values(peer)).toEqual(series(1, 1)), WAIT);
  });

  test('nothing is deleted before a receipt, however often PUBACK came', async () => {
    const { broker, peer, outbox } = await meet();
    peer.manner = () => 'fold silently';
    outbox.append(entries(1, 30));
    startUplink(broker, outbox);
    await vi.waitFor(() => expect(peer.arrived.length).toBeGreaterThan(9), WAIT);
    expect(outbox.backlog).toBe(30);
    const [first, again] = [peer.arrived[0], peer.arrived.slice(1).find(({ seq }) => seq === 1)];
    expect(again).toEqual(first);
    peer.receipt();
    await vi.waitFor(() => expect(outbox.backlog).toBe(0), WAIT);
    expect(values(peer)).toEqual(series(1, 30));
  });

  test('batches and receipts that get lost or come twice change nothing', async () => {
    const { broker, peer, outbox } = await meet();
    let turn = 0;
    peer.manner = () => {
      turn += 1;
      if (turn % 3 === 0) return 'lose';
      if (turn % 5 === 0) return 'fold silently';
      if (turn % 7 === 0) peer.receipt();
      return 'receipt';
    };
    outbox.append(entries(1, 400));
    startUplink(broker, outbox);
    await vi.waitFor(() => expect(outbox.backlog).toBe(0), WAIT);
    expect(values(peer)).toEqual(series(1, 400));
  });

  test('what the cloud refuses as ahead of its clock is kept, and sent once it is not', async () => {
    const { broker, peer, outbox } = await meet();
    const { epoch } = outbox;
    const limit = reading(20).at;
    peer.nowMs = () => limit - MAX_AHEAD_MS;
    outbox.append(entries(1, 40));
    const heard: number[] = [];
    startUplink(broker, outbox, { onCloudTime: (now) => heard.push(now) });
    await vi.waitFor(() => expect(new Set(values(peer))).toEqual(new Set(series(1, 20))), WAIT);
    await vi.waitFor(() => expect(outbox.backlog).toBeLessThanOrEqual(20), WAIT);
    expect(outbox.epoch).not.toBe(epoch);
    expect(heard).toContain(limit - MAX_AHEAD_MS);
    peer.nowMs = () => limit;
    peer.receipt({ now: limit });
    await vi.waitFor(() => expect(outbox.backlog).toBe(0), WAIT);
    expect(new Set(values(peer))).toEqual(new Set(series(1, 40)));
  });

  test('no more batches are out than the window allows', async () => {
    const { broker, peer, outbox } = await meet();
    peer.manner = () => 'fold silently';
    outbox.append(entries(1, 500));
    startUplink(broker, outbox, { resendMs: 60_000 });
    await vi.waitFor(() => expect(peer.upTo).toBe(8), WAIT);
    peer.window = 3;
    peer.receipt();
    await vi.waitFor(() => expect(peer.upTo).toBe(11), WAIT);
    expect(outbox.progress).toEqual({ receipted: 8, sealed: 11 });
  });

  test('a broker that goes away and comes back loses nothing', async () => {
    const { broker, peer, outbox } = await meet();
    peer.manner = ({ seq }) => (seq > 20 ? 'lose' : 'receipt');
    outbox.append(entries(1, 300));
    const uplink = startUplink(broker, outbox);
    await vi.waitFor(() => expect(outbox.progress.receipted).toBe(20), WAIT);
    await broker.stop();
    await vi.waitFor(() => expect(uplink.isConnected).toBe(false), WAIT);
    outbox.append(entries(301, 310));
    uplink.wake([]);
    await peer.close();
    await broker.restart();
    const second = await CloudPeer.at(broker.url, AGENT.id);
    onTestFinished(() => second.close());
    await vi.waitFor(() => expect(outbox.backlog).toBe(0), WAIT);
    expect(values(second)).toEqual(series(201, 310));
  });

  test('birth, health and farewell carry the session; the will buries only its own', async () => {
    const { broker, peer, outbox } = await meet();
    const devices = [{ bin: 'a1', link: 'hall-1', ok: true }];
    const uplink = startUplink(broker, outbox, { devices: () => devices });
    await vi.waitFor(() => expect(peer.statuses).toHaveLength(1), WAIT);
    const [birth] = peer.statuses;
    expect(birth).toMatchObject({ online: true, version: '1.2.3', backlog: 0, devices });
    devices.push({ bin: 'a2', link: 'hall-1', ok: false });
    await vi.waitFor(() => expect(peer.statuses).toHaveLength(2), WAIT);
    await uplink.stop(2_000);
    await vi.waitFor(() => expect(peer.statuses).toHaveLength(3), WAIT);
    expect(peer.statuses[2]).toMatchObject({ online: false, session: birth?.session });
  });

  test('an agent that vanishes is buried by the will of its session', async () => {
    const { broker, peer, outbox } = await meet();
    startUplink(broker, outbox);
    await vi.waitFor(() => expect(peer.statuses).toHaveLength(1), WAIT);
    // The same client id again: the broker drops the first connection without a farewell.
    const other = await connectAsync(broker.url, { clientId: AGENT.id, reconnectPeriod: 0 });
    onTestFinished(() => other.endAsync(true));
    await vi.waitFor(() => {
      const will = peer.statuses.find(({ online }) => !online);
      expect(will?.session).toBe(peer.statuses[0]?.session);
    }, WAIT);
  });

  test('while a backlog drains the newest readings overtake it on the live lane', async () => {
    const { broker, peer, outbox } = await meet();
    peer.manner = () => 'lose';
    outbox.append(entries(1, 200));
    const uplink = startUplink(broker, outbox);
    await vi.waitFor(() => expect(peer.arrived.length).toBeGreaterThan(0), WAIT);
    outbox.append([entry(201), entry(202), entry(1, 'b1')]);
    uplink.wake([reading(201), reading(202), reading(1, 'b1')]);
    await vi.waitFor(() => expect(peer.live).toHaveLength(1), WAIT);
    expect(peer.live).toEqual([
      {
        readings: [reading(202), reading(1, 'b1')].map(({ bin, at, value, unit, quality }) => {
          return { bin, at, value, unit, quality };
        }),
      },
    ]);
  });

  test('receipts of another epoch or without sense are passed over', async () => {
    const { broker, peer, outbox } = await meet();
    peer.manner = () => 'fold silently';
    outbox.append(entries(1, 10));
    startUplink(broker, outbox, { resendMs: 60_000 });
    await vi.waitFor(() => expect(peer.upTo).toBe(1), WAIT);
    peer.raw('{');
    peer.raw('{"epoch":"other","upTo":1,"window":8}');
    peer.raw(JSON.stringify({ epoch: outbox.epoch, upTo: -1, window: 0 }));
    peer.receipt({ upTo: 1 });
    await vi.waitFor(() => expect(outbox.backlog).toBe(0), WAIT);
  });

  test('a receipt of batches never sealed starts a new epoch and keeps the readings', async () => {
    const { broker, peer, outbox } = await meet();
    const { epoch } = outbox;
    peer.manner = (batch) => (batch.epoch === epoch ? 'lose' : 'receipt');
    outbox.append(entries(1, 25));
    startUplink(broker, outbox, { resendMs: 60_000 });
    await vi.waitFor(() => expect(peer.arrived).toHaveLength(3), WAIT);
    peer.receipt({ epoch, upTo: 99 });
    await vi.waitFor(() => expect(outbox.backlog).toBe(0), WAIT);
    expect(outbox.epoch).not.toBe(epoch);
    expect(values(peer)).toEqual(series(1, 25));
  });

  test('stopping sends what is left, and gives up at the deadline', async () => {
    const { broker, peer, outbox } = await meet();
    const uplink = startUplink(broker, outbox);
    await vi.waitFor(() => expect(uplink.isConnected).toBe(true), WAIT);
    outbox.append(entries(1, 300));
    await uplink.stop(10_000);
    expect(outbox.backlog).toBe(0);
    expect(values(peer)).toEqual(series(1, 300));

    peer.manner = () => 'lose';
    const second = startUplink(broker, outbox);
    await vi.waitFor(() => expect(second.isConnected).toBe(true), WAIT);
    outbox.append([entry(301)]);
    await second.stop(50);
    expect(outbox.backlog).toBe(1);
  });
});
