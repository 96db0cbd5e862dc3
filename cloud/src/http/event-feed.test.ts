import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { binId, type BinId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { createChanges, type Changes } from '../ingest/changes.ts';
import type { StockView } from './contract.ts';
import { EventFeed } from './event-feed.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A connection that takes what it is given only when told to. */
class Connection extends Writable {
  received = '';
  #waiting: (() => void) | undefined;
  stuck = false;

  constructor() {
    super({ highWaterMark: 64, decodeStrings: false });
  }

  override _write(chunk: string, _: BufferEncoding, done: () => void): void {
    this.received += chunk;
    if (this.stuck) this.#waiting = done;
    else done();
  }

  goOn(): void {
    this.stuck = false;
    this.#waiting?.();
  }

  get quantities(): number[] {
    return [...this.received.matchAll(/"quantity":(\d+)/g)].map(([, text]) => Number(text));
  }
}

function stockOf(bin: BinId, quantity: number): StockView {
  return {
    binId: bin,
    binName: bin,
    siteId: 'site',
    customerId: null,
    productId: 'screw',
    productName: 'Screw',
    unit: 'piece',
    quantity,
    massMg: 0,
    capacityMg: 1,
    readAt: 0,
    ageMs: 0,
    quality: 'good',
    health: 'ok',
    live: null,
  };
}

function openFeed(stock: (bins: readonly BinId[] | 'all') => Promise<StockView[]>) {
  const changes: Changes = createChanges();
  const feed = new EventFeed({
    changes,
    views: { stock: (_, bins) => stock(bins), agents: () => Promise.resolve([]) },
    clock: { wallMs: () => Date.now(), monotonicMs: () => Date.now() },
    log: createLog('test', 'silent'),
    run: 'run',
    gatherMs: 100,
    heartbeatMs: 15_000,
  });
  const add = (lastEventId?: string) => {
    const stream = new Connection();
    feed.add({
      scope: '*',
      withAgents: false,
      stream,
      lastEventId,
      mayStay: () => Promise.resolve(true),
    });
    return stream;
  };
  const change = () => changes.publish({ bins: [binId('b')], agents: [] });
  return { feed, add, change };
}

test('who is slow is spared the states in between and told the newest', async () => {
  let quantity = 0;
  const { feed, add, change } = openFeed(async () => [stockOf(binId('b'), quantity)]);
  const [slow, quick] = [add(), add()];
  slow.stuck = true;
  for (quantity = 1; quantity <= 5; quantity += 1) {
    change();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(quick.quantities).toEqual([1, 2, 3, 4, 5]);
  expect(slow.quantities).toEqual([1]);
  expect(slow.writableLength).toBeLessThan(1_000);
  quantity = 5;
  slow.goOn();
  await vi.advanceTimersByTimeAsync(100);
  expect(slow.quantities).toEqual([1, 5]);
  await feed.close();
});

test('who takes nothing any more is dropped, and nobody else', async () => {
  const { feed, add, change } = openFeed(async () => [stockOf(binId('b'), 1)]);
  const [gone, present] = [add(), add()];
  gone.stuck = true;
  change();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(gone.destroyed).toBe(true);
  expect(present.destroyed).toBe(false);
  expect(present.received).toContain(': still here');
  await feed.close();
  expect(present.writableEnded).toBe(true);
});

test('changes at once are told at once, and read once for all who see the same', async () => {
  const reads: unknown[] = [];
  const { feed, add, change } = openFeed(async (bins) => {
    reads.push(bins);
    return [stockOf(binId('b'), 1)];
  });
  add();
  add();
  for (let n = 0; n < 10; n += 1) change();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(reads).toEqual([['b']]);
  await feed.close();
});

test('what changes while it is read is told again', async () => {
  const again: (() => void)[] = [];
  let reads = 0;
  const { feed, add, change } = openFeed(async () => {
    reads += 1;
    again.shift()?.();
    return [stockOf(binId('b'), reads)];
  });
  again.push(change);
  const stream = add();
  change();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(stream.quantities).toEqual([1, 2]);
  const ids = [...stream.received.matchAll(/^id: (\S+)$/gm)].map(([, id]) => id);
  expect(ids).toEqual(['run.1', 'run.2']);
  await feed.close();
});

test('a fault of the database delays news and loses none', async () => {
  let broken = true;
  const { feed, add, change } = openFeed(async () => {
    if (broken) throw new Error('the disk is full');
    return [stockOf(binId('b'), 1)];
  });
  const stream = add();
  change();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(stream.quantities).toEqual([]);
  broken = false;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(stream.quantities).toEqual([1]);
  await feed.close();
});
