import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentId, BinId } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';
import type { Message } from './message.ts';
import {
  addAgent,
  addBin,
  batchMessage,
  failing,
  openStack,
  shift,
  startWorker,
  type Stack,
  type TestWorker,
} from './testing/stack.ts';

/*
 * Guarantees 1 and 2 together: whatever is lost, doubled, late or cut short on the way, the ledger
 * is the one that the same readings give in order, bit for bit.
 */

const MINUTES = 400;

let stack: Stack;
let runs = 0;

beforeAll(async () => {
  stack = await openStack();
});
afterAll(() => stack.close());

interface Chaos {
  readonly seed: number;
  /** Readings per batch. */
  readonly sizes: readonly number[];
  /** Pairs of readings that change places: what comes later than its successors. */
  readonly swaps: readonly (readonly [number, number])[];
  readonly steps: readonly Step[];
}

type Step =
  | { readonly kind: 'send'; readonly batches: readonly number[] }
  /** The next group's transaction fails at its end, and the process with it. */
  | { readonly kind: 'crash'; readonly batches: readonly number[] }
  | { readonly kind: 'restart' };

const batchNumbers = fc.array(fc.nat(30), { minLength: 1, maxLength: 6 });
const chaos: fc.Arbitrary<Chaos> = fc.record({
  seed: fc.nat(),
  sizes: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 3, maxLength: 12 }),
  swaps: fc.array(fc.tuple(fc.nat(MINUTES - 1), fc.nat(MINUTES - 1)), { maxLength: 4 }),
  steps: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('send'), batches: batchNumbers }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash'), batches: batchNumbers }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
    ),
    { maxLength: 25 },
  ),
});

function batchesOf(agent: AgentId, readings: readonly Reading[], sizes: readonly number[]) {
  const batches: Message[] = [];
  for (let start = 0; start < readings.length;) {
    const size = sizes[batches.length % sizes.length] ?? 1;
    const rows = readings.slice(start, start + size).toSorted((a, b) => a.at - b.at);
    batches.push(batchMessage(agent, { seq: batches.length + 1, readings: rows }));
    start += size;
  }
  return batches;
}

async function place(): Promise<{ agent: AgentId; bin: BinId }> {
  runs += 1;
  return {
    agent: await addAgent(stack.db, `agent-${runs}`),
    bin: await addBin(stack.db, `bin-${runs}`),
  };
}

async function ledgerInOrder(seed: number): Promise<string> {
  const { agent, bin } = await place();
  const worker = startWorker(stack.db, stack.readings);
  await worker.process(batchesOf(agent, shift(bin, MINUTES, seed), [100]));
  const { equal, written, movements } = await worker.recompute(bin);
  expect(equal).toBe(true);
  expect(movements).toBeGreaterThan(10);
  return written;
}

async function crash(group: readonly Message[]): Promise<void> {
  const doomed = startWorker(
    failing(stack.db, () => 'XX000'),
    stack.readings,
  );
  await expect(doomed.process(group)).rejects.toMatchObject({ retry: 'never' });
  expect(doomed.receipts).toEqual([]);
}

async function ledgerInChaos({ seed, sizes, swaps, steps }: Chaos): Promise<string> {
  const { agent, bin } = await place();
  const readings = shift(bin, MINUTES, seed);
  for (const [a, b] of swaps) {
    const [first, second] = [readings[a], readings[b]];
    if (first !== undefined && second !== undefined) [readings[a], readings[b]] = [second, first];
  }
  const batches = batchesOf(agent, readings, sizes);
  const group = (numbers: readonly number[]): Message[] =>
    numbers.flatMap((number) => batches[number % batches.length] ?? []);
  let worker: TestWorker = startWorker(stack.db, stack.readings);
  for (const step of steps) {
    if (step.kind === 'send') await worker.process(group(step.batches));
    else if (step.kind === 'restart') await worker.close();
    else await crash(group(step.batches));
    if (step.kind !== 'send') worker = startWorker(stack.db, stack.readings);
  }
  // At last the connection holds: the agent sends again what has no receipt.
  await worker.process(batches);
  expect(worker.newestReceipt(agent)?.upTo).toBe(batches.length);
  const { equal, written } = await worker.recompute(bin);
  expect(equal).toBe(true);
  return written;
}

test('any order, doubling, crash and restart gives the ledger of the readings in order', async () => {
  await fc.assert(
    fc.asyncProperty(chaos, async (script) => {
      expect(await ledgerInChaos(script)).toBe(await ledgerInOrder(script.seed));
    }),
    { numRuns: 25, interruptAfterTimeLimit: 60_000 },
  );
});
