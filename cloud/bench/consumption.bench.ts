import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { binId } from '#shared/ids.ts';
import { DAY_MS, ROLLUP_MS } from '#shared/units.ts';
import type { Benchmark } from '../../bench/benchmark.ts';
import { consumption, type ConsumptionQuery } from '../src/consumption/queries.ts';
import { openTestDatabase } from '../test/database.ts';
import type { Database } from '../src/database/database.ts';

const PRODUCTS = 20;
const SITES = 10;
const BINS_AT_ONCE = 100;
/** Movements of a bin a day. */
const MOVEMENTS = 24;
const RUNS = 3;
const TO = Date.parse('2026-11-01T00:00Z');

/** Every bin has been watched all the time; one movement in a hundred is not known exactly. */
async function fill({ sql: db }: Database, bins: number, days: number): Promise<void> {
  const from = TO - days * DAY_MS;
  await sql`insert into customer values ('acme', 'Acme')`.execute(db);
  await sql`insert into site select 's' || i, 'acme', 'Site', 'UTC'
    from generate_series(0, ${SITES - 1}::int) i`.execute(db);
  await sql`insert into product select 'p' || i, 'Product', 'piece', 1000
    from generate_series(0, ${PRODUCTS - 1}::int) i`.execute(db);
  await sql`insert into bin select 'b' || i, 's' || i % ${SITES}::int, 'Bin', 1
    from generate_series(0, ${bins - 1}::int) i`.execute(db);
  for (let first = 0; first < bins; first += BINS_AT_ONCE) {
    const last = Math.min(bins, first + BINS_AT_ONCE) - 1;
    await sql`insert into rollup
      select 'b' || b, bucket, 'p' || b % ${PRODUCTS}::int, b % 5, 0, 0, 0, ${ROLLUP_MS}::bigint, 0
      from generate_series(${first}::int, ${last}::int) b,
        generate_series(${from}::bigint, ${TO - 1}::bigint, ${ROLLUP_MS}::bigint) bucket
      `.execute(db);
    await sql`insert into movement
      select 'b' || b, n, 1, 'p' || b % ${PRODUCTS}::int, at - 1, at, 'consumption', -5,
        -5 - (n % 100 = 0)::int, -5 + (n % 100 = 0)::int, -5000, 1000000, 0, null
      from generate_series(${first}::int, ${last}::int) b,
        generate_series(1, ${days * MOVEMENTS}::bigint) n,
        lateral (select ${from}::bigint + n * ${DAY_MS / MOVEMENTS}::bigint - 1 as at) as instant
      `.execute(db);
  }
  await sql`analyze`.execute(db);
}

/** The best of some runs, ms. */
async function timeOf(database: Database, query: ConsumptionQuery): Promise<number> {
  let best = Infinity;
  for (let run = 0; run < RUNS; run += 1) {
    const started = performance.now();
    const answer = await consumption((part) => database.scoped('*', part), query);
    if (!answer.ok) throw new Error(answer.reason);
    best = Math.min(best, performance.now() - started);
  }
  return Math.round(best * 10) / 10;
}

/** The longest that a transaction of somebody else took while the question was answered, ms. */
async function longestWait(database: Database, query: ConsumptionQuery): Promise<number> {
  const question = { isAnswered: false };
  const answered = timeOf(database, query).finally(() => {
    question.isAnswered = true;
  });
  let longest = 0;
  while (!question.isAnswered) {
    const started = performance.now();
    await database.transaction((tx) => sql`select 1`.execute(tx));
    longest = Math.max(longest, performance.now() - started);
    await nextTurn();
  }
  await answered;
  return Math.round(longest * 10) / 10;
}

export const bench = {
  name: 'consumption',
  describe: 'questions of consumption, asked of the embedded database with nothing else to do',
  options: {
    bins: { default: 40, small: 4, describe: 'bins with a scale each' },
    days: { default: 14, small: 2, describe: 'days of history, all of which is asked for' },
  },
  figures: {
    by_product_and_hour_ms: 'all the history by product by hour, Berlin time',
    by_product_and_hour_wait_ms: 'the longest that a commit waited while this was answered',
    by_bin_and_day_ms: 'all the history by bin by day, Berlin time',
    total_ms: 'one sum over all the history, with odd ends',
    last_day_by_bin_and_hour_ms: 'the last 24 hours by bin by hour, with odd ends',
    one_bin_by_hour_ms: 'all the history of one bin by hour',
  },
  async run({ bins, days }) {
    const { database, close } = await openTestDatabase();
    try {
      await fill(database, bins, days);
      const all = {
        from: TO - days * DAY_MS,
        to: TO,
        timeZone: 'Europe/Berlin',
        own: 'include',
      } as const;
      const odd = { from: all.from + 123_456, to: TO - 54_321 };
      const lastDay = { ...all, from: odd.to - DAY_MS, to: odd.to };
      const { rows } = await sql<{ id: string }>`select min(id) as id from bin`.execute(
        database.sql,
      );
      return {
        by_product_and_hour_ms: await timeOf(database, { ...all, by: 'product', step: 'hour' }),
        by_product_and_hour_wait_ms: await longestWait(database, {
          ...all,
          by: 'product',
          step: 'hour',
        }),
        by_bin_and_day_ms: await timeOf(database, { ...all, by: 'bin', step: 'day' }),
        total_ms: await timeOf(database, { ...all, ...odd, by: 'total', step: 'total' }),
        last_day_by_bin_and_hour_ms: await timeOf(database, {
          ...lastDay,
          by: 'bin',
          step: 'hour',
        }),
        one_bin_by_hour_ms: await timeOf(database, {
          ...all,
          by: 'bin',
          step: 'hour',
          bin: binId(rows[0]?.id ?? ''),
        }),
      };
    } finally {
      await close();
    }
  },
} satisfies Benchmark<'bins' | 'days'>;
