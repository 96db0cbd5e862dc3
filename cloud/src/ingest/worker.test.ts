import { gzipSync } from 'node:zlib';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AgentId, BinId } from '#shared/ids.ts';
import { epoch } from '#shared/ids.ts';
import { MAX_BATCH_BYTES } from '#shared/wire/batch.ts';
import type { Movement } from '../consumption/core/model.ts';
import { movementsFrom } from '../consumption/ledger.ts';
import {
  PIECE_MG,
  START,
  addAgent,
  addBin,
  batchMessage,
  failing,
  message,
  openStack,
  reading,
  shift,
  startWorker,
  type Stack,
  type TestWorker,
} from './testing/stack.ts';

let stack: Stack;
let worker: TestWorker;
let agent: AgentId;
let other: AgentId;
let bin: BinId;
let place = 0;

beforeAll(async () => {
  stack = await openStack();
});
afterAll(() => stack.close());
beforeEach(async () => {
  place += 1;
  agent = await addAgent(stack.db, `agent-${place}`);
  other = await addAgent(stack.db, `other-${place}`);
  bin = await addBin(stack.db, `bin-${place}`);
  worker = startWorker(stack.db, stack.readings);
});

const everything = { from: 0, to: Number.MAX_SAFE_INTEGER };
const stored = (): Promise<number> => stack.readings.count(bin, everything);

async function movements(): Promise<Movement[]> {
  return (await movementsFrom(stack.db.sql, [{ bin, ordinal: 0 }])).get(bin) ?? [];
}

interface QuarantineRow {
  readonly reason: string;
  readonly seq: number | null;
  readonly index: number | null;
  readonly times: number;
  readonly payload: Uint8Array;
}

async function quarantined(of: AgentId): Promise<QuarantineRow[]> {
  const { rows } = await sql<QuarantineRow>`
    select reason, seq, row_index as "index", times, payload from quarantine
    where agent_id = ${of} order by id`.execute(stack.db.sql);
  return rows;
}

interface RestatementRow {
  readonly cause: string;
  readonly revision: number;
  readonly before: number;
  readonly after: number;
}

async function restatements(): Promise<RestatementRow[]> {
  const { rows } = await sql<RestatementRow>`
    select cause, revision, consumed_before as before, consumed_after as after from restatement
    where bin_id = ${bin} order by id`.execute(stack.db.sql);
  return rows;
}

/** Five minutes with so many pieces. */
const span = (from: number, pieces: number) =>
  [0, 1, 2, 3, 4].map((minute) => reading(bin, from + minute, pieces));

/** Opening, a pick of 10 pieces seen to last, and what remains. */
const pick = (of: BinId) => [
  ...[0, 1, 2, 3, 4].map((minute) => reading(of, minute, 100)),
  ...[5, 6, 7, 8, 9].map((minute) => reading(of, minute, 90)),
];

test('a batch is stored, folded and receipted', async () => {
  const startedMs = Date.now();
  await worker.process([batchMessage(agent, { readings: pick(bin) })]);
  expect(await stored()).toBe(10);
  expect((await movements()).map(({ kind, quantity }) => [kind, quantity])).toEqual([
    ['adjustment', 100],
    ['consumption', -10],
  ]);
  const receipt = worker.newestReceipt(agent);
  expect(receipt).toMatchObject({ epoch: 'e1', upTo: 1, rejected: [] });
  expect(receipt?.now).toBeGreaterThanOrEqual(startedMs);
  const { rows } = await sql`select quantity from bin_stock where bin_id = ${bin}`.execute(
    stack.db.sql,
  );
  expect(rows).toEqual([{ quantity: 90 }]);
});

test('a batch that comes again changes nothing and is receipted again', async () => {
  const batch = batchMessage(agent, { readings: pick(bin) });
  await worker.process([batch]);
  const before = await movements();
  await worker.process([batch, batch]);
  expect(await movements()).toEqual(before);
  expect(await stored()).toBe(10);
  expect(worker.receipts.map(({ receipt }) => receipt.upTo)).toEqual([1, 1]);
});

test('a batch ahead of its turn is neither stored nor receipted, until the one before it came', async () => {
  const readings = pick(bin);
  const first = batchMessage(agent, { seq: 1, readings: readings.slice(0, 5) });
  const second = batchMessage(agent, { seq: 2, readings: readings.slice(5) });
  await worker.process([second]);
  expect(await stored()).toBe(0);
  expect(worker.newestReceipt(agent)?.upTo).toBe(0);
  await worker.process([first, second]);
  expect(await stored()).toBe(10);
  expect(worker.newestReceipt(agent)?.upTo).toBe(2);
});

test('batches that the agent no longer holds leave a gap record', async () => {
  await worker.process([batchMessage(agent, { seq: 1, readings: [reading(bin, 0, 100)] })]);
  await worker.process([
    batchMessage(agent, { seq: 8, oldest: 8, readings: [reading(bin, 60, 100)] }),
  ]);
  expect(worker.newestReceipt(agent)?.upTo).toBe(8);
  const { rows } = await sql`select from_ms, to_ms, why from gap where bin_id = ${bin}`.execute(
    stack.db.sql,
  );
  expect(rows).toEqual([{ from_ms: START, to_ms: START + 3_600_000, why: 'lost-by-cloud' }]);
});

test('the gap record of lost batches is the same when its commit is tried again', async () => {
  let failures = 1;
  const patient = startWorker(
    failing(stack.db, () => (failures-- > 0 ? '40001' : undefined)),
    stack.readings,
  );
  await patient.process([
    batchMessage(agent, { seq: 8, oldest: 8, readings: [reading(bin, 60, 100)] }),
  ]);
  const { rows } = await sql`select from_ms, to_ms from gap where bin_id = ${bin}`.execute(
    stack.db.sql,
  );
  expect(rows).toEqual([{ from_ms: START, to_ms: START + 3_600_000 }]);
});

test('a rebuilt outbox starts anew, and what was stored before is not counted twice', async () => {
  await worker.process([batchMessage(agent, { readings: pick(bin) })]);
  const before = await movements();
  await worker.process([batchMessage(agent, { epoch: epoch('e2'), readings: pick(bin) })]);
  expect(worker.newestReceipt(agent)).toMatchObject({ epoch: 'e2', upTo: 1 });
  expect(await movements()).toEqual(before);
  expect(await restatements()).toEqual([]);
});

describe('bad input', () => {
  test('harms nobody else in the same group', async () => {
    const [good] = pick(bin);
    await worker.process([
      message(other, 'readings', 'garbage'),
      message(other, 'readings', '{"epoch":"e1","seq":1,"oldest":1,"readings":7}'),
      message(other, 'status', '{}'),
      message(other, 'live', '[]'),
      message(other, 'config/reported', '{"version":1,"state":"fine"}'),
      batchMessage(agent, { readings: good === undefined ? [] : [good] }),
    ]);
    expect(await stored()).toBe(1);
    expect(worker.newestReceipt(agent)).toMatchObject({ upTo: 1, rejected: [] });
    expect(worker.newestReceipt(other)).toMatchObject({ upTo: 1, rejected: [{ seq: 1 }] });
    expect(await quarantined(other)).toHaveLength(5);
    expect(await quarantined(agent)).toEqual([]);
  });

  test('that is a gzip bomb is kept as small as it came, and holds nothing else up', async () => {
    const bomb = gzipSync(Buffer.alloc(2 * MAX_BATCH_BYTES, ' '));
    await worker.process([
      { ...message(other, 'readings', ''), payload: bomb },
      batchMessage(agent, { readings: [reading(bin, 0, 100)] }),
    ]);
    expect(await stored()).toBe(1);
    const [row, ...more] = await quarantined(other);
    expect(more).toEqual([]);
    expect(row?.reason).toBe(`gzip of more than ${MAX_BATCH_BYTES} bytes`);
    expect(Buffer.from(row?.payload ?? [])).toEqual(bomb);
  });

  test('is kept once as it came, however often it comes', async () => {
    const garbage = message(other, 'readings', 'garbage');
    await worker.process([garbage, garbage]);
    await worker.process([garbage]);
    const [row, ...more] = await quarantined(other);
    expect(more).toEqual([]);
    expect(row).toMatchObject({ times: 3, reason: expect.stringContaining('not JSON') as string });
    expect(new TextDecoder().decode(row?.payload)).toBe('garbage');
  });

  test('a row that contradicts a stored reading is refused and told', async () => {
    await worker.process([batchMessage(agent, { readings: [reading(bin, 0, 100)] })]);
    await worker.process([
      batchMessage(agent, { seq: 2, readings: [reading(bin, 0, 99), reading(bin, 1, 100)] }),
    ]);
    expect(await stored()).toBe(2);
    expect(worker.newestReceipt(agent)).toMatchObject({
      upTo: 2,
      rejected: [{ seq: 2, index: 0, reason: expect.stringContaining('is stored') as string }],
    });
    expect(await quarantined(agent)).toMatchObject([{ seq: 2, index: 0 }]);
  });

  test('a message that the database refuses is set apart, and the rest of its group goes on', async () => {
    const doomed = await addBin(stack.db, `doomed-${place}`);
    await worker.process([batchMessage(other, { seq: 1, readings: [reading(doomed, 0, 9)] })]);
    // Gone behind the worker's back, so that its rows violate a reference.
    for (const table of ['movement', 'rollup', 'bin_stock', 'fold_checkpoint', 'bin_setup']) {
      await sql`delete from ${sql.table(table)} where bin_id = ${doomed}`.execute(stack.db.sql);
    }
    await sql`delete from bin where id = ${doomed}`.execute(stack.db.sql);
    const more = [1, 2, 3, 4, 5].map((minute) => reading(doomed, minute, 20));
    await worker.process([
      batchMessage(other, { seq: 2, readings: more }),
      batchMessage(agent, { seq: 1, readings: pick(bin) }),
    ]);
    expect(await stored()).toBe(10);
    expect(worker.newestReceipt(agent)).toMatchObject({ upTo: 1, rejected: [] });
    expect(worker.newestReceipt(other)).toMatchObject({ upTo: 2, rejected: [{ seq: 2 }] });
    expect((await quarantined(other)).map(({ reason }) => reason)).toEqual([
      expect.stringContaining('could not be committed'),
    ]);
  });
});

describe('faults', () => {
  test('a transaction that fails is tried again, and everything is counted once', async () => {
    let failures = 2;
    const flaky = failing(stack.db, () => (failures-- > 0 ? '40001' : undefined));
    const patient = startWorker(flaky, stack.readings);
    await patient.process([batchMessage(agent, { readings: pick(bin) })]);
    expect(patient.newestReceipt(agent)?.upTo).toBe(1);
    expect(await movements()).toHaveLength(2);
    expect(await restatements()).toEqual([]);
    expect((await patient.recompute(bin)).equal).toBe(true);
  });

  test('a process that ends between store and commit sends no receipt, and its successor counts once', async () => {
    const readings = shift(bin, 300);
    const batches = [0, 100, 200].map((start, index) =>
      batchMessage(agent, { seq: index + 1, readings: readings.slice(start, start + 100) }),
    );
    await worker.process(batches.slice(0, 1));
    const doomed = startWorker(
      failing(stack.db, () => 'XX000'),
      stack.readings,
    );
    await expect(doomed.process(batches.slice(1, 2))).rejects.toMatchObject({ retry: 'never' });
    expect(doomed.receipts).toEqual([]);
    expect(await stored()).toBe(200);
    const successor = startWorker(stack.db, stack.readings);
    await successor.process(batches);
    expect(successor.newestReceipt(agent)?.upTo).toBe(3);
    expect((await successor.recompute(bin)).equal).toBe(true);
    expect(await restatements()).toEqual([]);
  });

  test('a worker that is closed while it waits for the database blames no message', async () => {
    let failures = 1;
    const closing = startWorker(
      failing(stack.db, () => (failures-- > 0 ? '53100' : undefined)),
      stack.readings,
    );
    const processing = closing.process([batchMessage(agent, { readings: pick(bin) })]);
    await Promise.all([
      expect(processing).rejects.toMatchObject({ code: 'database-failed' }),
      closing.close(),
    ]);
    expect(await quarantined(agent)).toEqual([]);
    await worker.process([batchMessage(agent, { readings: pick(bin) })]);
    expect((await worker.recompute(bin)).equal).toBe(true);
  });
});

describe('late readings', () => {
  test('restate what they contradict, once, and the old telling stays readable', async () => {
    const around = pick(bin).filter(({ at }) => at !== START + 5 * 60_000);
    await worker.process([batchMessage(agent, { readings: around })]);
    const before = await movements();
    await worker.process([batchMessage(agent, { seq: 2, readings: [reading(bin, 5, 90)] })]);
    const after = await movements();
    expect(after).not.toEqual(before);
    expect(after.at(-1)?.closing).toBe(90);
    expect(await restatements()).toEqual([
      { cause: 'late-data', revision: 2, before: 10, after: 10 },
    ]);
    const { rows } = await sql<{ quantity: number }>`select quantity from movement
      where bin_id = ${bin} and superseded_ms is not null`.execute(stack.db.sql);
    expect(rows).toEqual([{ quantity: -10 }]);
    expect((await worker.recompute(bin)).equal).toBe(true);
  });

  test('that change no movement restate nothing', async () => {
    const readings = pick(bin);
    const quiet = readings.filter((_, index) => index !== 2);
    await worker.process([batchMessage(agent, { readings: quiet })]);
    await worker.process([batchMessage(agent, { seq: 2, readings: readings.slice(2, 3) })]);
    expect(await restatements()).toEqual([]);
    expect((await worker.recompute(bin)).equal).toBe(true);
  });
});

const early = () => batchMessage(agent, { readings: [...span(0, 100), ...span(20, 80)] });
const late = () => batchMessage(agent, { seq: 2, readings: span(8, 90) });

describe('checkpoints', () => {
  beforeEach(async () => {
    await worker.process([early()]);
    // Leaves a checkpoint behind that knows nothing of what comes late.
    await worker.close();
  });

  test('are dropped where a late reading contradicts them', async () => {
    await startWorker(stack.db, stack.readings).process([late()]);
    const successor = startWorker(stack.db, stack.readings);
    await successor.process([batchMessage(agent, { seq: 3, readings: span(40, 70) })]);
    expect((await successor.recompute(bin)).equal).toBe(true);
    const quantities = (await movements()).map(({ quantity }) => quantity);
    expect(quantities).toEqual([100, -10, -10, -10]);
  });

  test('do not hide a late reading that was stored but not committed', async () => {
    const doomed = startWorker(
      failing(stack.db, () => 'XX000'),
      stack.readings,
    );
    await expect(doomed.process([late()])).rejects.toMatchObject({ retry: 'never' });
    const successor = startWorker(stack.db, stack.readings);
    await successor.process([batchMessage(other, { readings: span(40, 80) })]);
    await successor.process([late()]);
    expect((await successor.recompute(bin)).equal).toBe(true);
  });

  test('of another version of the fold are passed over', async () => {
    await sql`update fold_checkpoint set state = '{"version":-1}' where bin_id = ${bin}`.execute(
      stack.db.sql,
    );
    const successor = startWorker(stack.db, stack.readings);
    await successor.process([batchMessage(agent, { seq: 2, readings: span(40, 70) })]);
    expect((await successor.recompute(bin)).equal).toBe(true);
    expect(await restatements()).toEqual([]);
  });
});

describe('a change of the setup', () => {
  const lighter = Math.round(PIECE_MG * 0.8);
  const change = () =>
    worker.restateBin(bin, 'setup-changed', async (tx) => {
      await sql`update bin_setup set piece_mass_mg = ${lighter} where bin_id = ${bin}`.execute(tx);
      return START;
    });

  test('restates what was told under the old one, and later readings go on from there', async () => {
    await worker.process([batchMessage(agent, { readings: pick(bin) })]);
    await change();
    const [opening] = await movements();
    expect(opening?.quantity).toBe(125);
    expect(await restatements()).toMatchObject([{ cause: 'setup-changed', revision: 2 }]);
    const later = [10, 11, 12].map((minute) => reading(bin, minute, 90));
    await worker.process([batchMessage(agent, { seq: 2, readings: later })]);
    expect((await worker.recompute(bin)).equal).toBe(true);
  });

  test('that is refused leaves everything as it was', async () => {
    await worker.process([batchMessage(agent, { readings: pick(bin) })]);
    const before = await movements();
    const refused = worker.restateBin(bin, 'setup-changed', async (tx) => {
      await sql`update bin_setup set piece_mass_mg = 1 where bin_id = ${bin}`.execute(tx);
      throw new Error('second thoughts');
    });
    await expect(refused).rejects.toThrow('second thoughts');
    expect(await movements()).toEqual(before);
    expect(await restatements()).toEqual([]);
    expect((await worker.recompute(bin)).equal).toBe(true);
  });
});

test('a ledger that was tampered with is found out and repaired visibly', async () => {
  await worker.process([batchMessage(agent, { readings: pick(bin) })]);
  await sql`update movement set quantity = -1 where bin_id = ${bin} and ordinal = 2`.execute(
    stack.db.sql,
  );
  expect((await worker.recompute(bin)).equal).toBe(false);
  expect(await restatements()).toEqual([]);
  await worker.recompute(bin, true);
  expect((await worker.recompute(bin)).equal).toBe(true);
  expect(await restatements()).toEqual([
    { cause: 'recomputed', revision: 2, before: 1, after: 10 },
  ]);
});

const status = (online: boolean, session: string, at: number, fault = '') => {
  const devices = [{ bin: 'b', link: 'l', ok: false, fault }];
  return message(agent, 'status', JSON.stringify({ online, session, at, devices }));
};

async function knownStatus(): Promise<unknown[]> {
  const { rows } = await sql`select online, session from agent_status
    where agent_id = ${agent}`.execute(stack.db.sql);
  return rows;
}

test('a reason that quotes the payload is cut between letters', async () => {
  const index = `${'x'.repeat(493)}\u{1F529}`;
  const readings = { bin: [index], at: 0, value: 1, samples: 1, spread: 0 };
  const table = { ...readings, quality: 'good', synced: true };
  const batch = { epoch: 'e1', seq: 1, oldest: 1, bins: [], from: START, readings: table };
  await worker.process([message(agent, 'readings', JSON.stringify(batch))]);
  const [row] = await quarantined(agent);
  expect(row?.reason).toMatch(/^bin: "x{493}\uFFFD$/);
});

describe('status', () => {
  test('the will of an older session is ignored, that of the newest is not', async () => {
    await worker.process([status(true, 's1', 1)]);
    await worker.process([status(true, 's2', 2), status(false, 's1', 1)]);
    await worker.process([status(false, 's1', 1)]);
    expect(await knownStatus()).toEqual([{ online: true, session: 's2' }]);
    await worker.process([status(false, 's2', 2)]);
    expect(await knownStatus()).toEqual([{ online: false, session: 's2' }]);
  });

  test('text that PostgreSQL has no letters for is written all the same', async () => {
    await worker.process([status(true, 's3', 1, 'nul \0 and half \ud800')]);
    expect(await knownStatus()).toEqual([{ online: true, session: 's3' }]);
    expect(await quarantined(agent)).toEqual([]);
  });
});
