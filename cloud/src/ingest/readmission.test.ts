import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { AgentId, BinId } from '#shared/ids.ts';
import { binId } from '#shared/ids.ts';
import { movementsFrom } from '../consumption/ledger.ts';
import {
  addAgent,
  addBin,
  batchMessage,
  message,
  openStack,
  reading,
  shift,
  startWorker,
  START,
  type Stack,
  type TestWorker,
} from './testing/stack.ts';

let stack: Stack;
let worker: TestWorker;
let agent: AgentId;
let place = 0;

beforeAll(async () => {
  stack = await openStack();
});
afterAll(() => stack.close());
beforeEach(async () => {
  place += 1;
  agent = await addAgent(stack.db, `agent-${place}`);
  worker = startWorker(stack.db, stack.readings);
});

const everything = { from: 0, to: Number.MAX_SAFE_INTEGER };
const all = () => ({ agent, limit: 1_000 });

async function amounts(bin: BinId) {
  const found = (await movementsFrom(stack.db.sql, [{ bin, ordinal: 0 }])).get(bin) ?? [];
  return found.map(({ from, at, kind, quantity, closing }) => [
    from - START,
    at - START,
    kind,
    quantity,
    closing,
  ]);
}

async function quarantined(): Promise<string[]> {
  const { rows } = await sql<{ reason: string }>`
    select reason from quarantine where agent_id = ${agent} order by id
  `.execute(stack.db.sql);
  return rows.map(({ reason }) => reason);
}

const outcomes = (items: readonly { readonly outcome: string }[]) =>
  items.map(({ outcome }) => outcome);

test('readings of a bin that was forgotten come in once it is there, as if they had never waited', async () => {
  const calm = await addBin(stack.db, `calm-${place}`);
  const late = binId(`late-${place}`);
  const readings = shift(calm, 200);
  await worker.process([batchMessage(agent, { readings })]);
  const ofLate = readings.map((one) => ({ ...one, bin: late }));
  await worker.process([batchMessage(agent, { seq: 2, readings: ofLate.slice(0, 150) })]);
  expect(await quarantined()).toHaveLength(150);
  const before = await worker.readmit(all());
  expect(new Set(outcomes(before.items))).toEqual(new Set(['refused']));

  await addBin(stack.db, late);
  worker.forgetCatalogue();
  await worker.process([batchMessage(agent, { seq: 3, readings: ofLate.slice(150) })]);
  const { items } = await worker.readmit(all());
  expect(items).toHaveLength(150);
  expect(new Set(outcomes(items))).toEqual(new Set(['taken']));
  expect(await quarantined()).toEqual([]);
  expect(await stack.readings.count(late, everything)).toBe(200);
  expect(await amounts(late)).toEqual(await amounts(calm));
  expect((await worker.recompute(late)).equal).toBe(true);
  expect((await worker.readmit(all())).items).toEqual([]);
});

test('what was stored already, as before a crash, is a duplicate and leaves', async () => {
  const bin = binId(`twice-${place}`);
  const row = reading(bin, 3, 50);
  await worker.process([batchMessage(agent, { readings: [row] })]);
  await addBin(stack.db, bin);
  worker.forgetCatalogue();
  await stack.readings.append([row]);
  const { items } = await worker.readmit(all());
  expect(items).toMatchObject([{ outcome: 'taken', stored: 0, duplicates: 1, reason: null }]);
  expect(await quarantined()).toEqual([]);
  expect((await worker.recompute(bin)).equal).toBe(true);
});

test('one that contradicts a stored reading stays, and says why', async () => {
  const bin = await addBin(stack.db, `conflict-${place}`);
  await worker.process([batchMessage(agent, { readings: [reading(bin, 1, 10)] })]);
  await worker.process([batchMessage(agent, { seq: 2, readings: [reading(bin, 1, 11)] })]);
  const { items } = await worker.readmit(all());
  const reason = 'at: another reading of this bin and time is stored';
  expect(items).toMatchObject([{ outcome: 'refused', stored: 0, reason }]);
  expect(await quarantined()).toEqual([reason]);
});

test('of a whole message the good rows are taken, and it stays for the others', async () => {
  const bin = await addBin(stack.db, `whole-${place}`);
  const gone = binId(`gone-${place}`);
  const readings = [
    ...shift(bin, 20),
    ...Array.from({ length: 600 }, (_, minute) => reading(gone, minute, 5)),
  ];
  // More bad rows than are kept one by one: the message is kept as it came.
  await worker.process([batchMessage(agent, { readings })]);
  expect(await quarantined()).toHaveLength(1);
  const { items } = await worker.readmit(all());
  expect(items).toMatchObject([{ outcome: 'partly', stored: 0, duplicates: 20 }]);
  expect(await quarantined()).toEqual([expect.stringMatching(/^600 of 620 rows .*there is no/)]);
  await addBin(stack.db, gone);
  worker.forgetCatalogue();
  const again = await worker.readmit(all());
  expect(again.items).toMatchObject([{ outcome: 'taken', stored: 600, duplicates: 20 }]);
  expect(await quarantined()).toEqual([]);
});

test('gaps are taken too, and what cannot be read stays as it is', async () => {
  const bin = binId(`gap-${place}`);
  const gap = { bin, from: START, to: START + 1_000, count: 2, why: 'dropped' as const };
  await worker.process([
    batchMessage(agent, { gaps: [gap] }),
    message(agent, 'readings', '{"epoch":"e1","seq":2,"oldest":1,"rubbish":true}'),
  ]);
  await addBin(stack.db, bin);
  worker.forgetCatalogue();
  const { items } = await worker.readmit(all());
  expect(outcomes(items)).toEqual(['taken', 'refused']);
  const { rows } = await sql`select count from gap where bin_id = ${bin}`.execute(stack.db.sql);
  expect(rows).toEqual([{ count: 2 }]);
  expect(await quarantined()).toHaveLength(1);
});

test('a message or row is asked for alone, or from a place on', async () => {
  const rows = [1, 2, 3].map((minute) => reading(binId(`one-${place}`), minute, 5));
  await worker.process([batchMessage(agent, { readings: rows })]);
  const [first, second, third] = (await worker.readmit(all())).items;
  expect((await worker.readmit({ id: second?.id ?? 0, limit: 1 })).items).toEqual([second]);
  expect((await worker.readmit({ ...all(), after: first?.id ?? 0 })).items).toEqual([
    second,
    third,
  ]);
  expect((await worker.readmit({ id: 999_999_999, limit: 1 })).items).toEqual([]);
});
