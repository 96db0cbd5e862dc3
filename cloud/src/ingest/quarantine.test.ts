import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../../test/database.ts';
import type { Refused } from './core/draft.ts';
import { writeQuarantine } from './quarantine.ts';
import { listKinds, listQuarantine } from './quarantined.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

const refused = (agent: string, number: number, reason: string): Refused => ({
  agent,
  receivedMs: number,
  reason,
  payload: new TextEncoder().encode(String(number).padStart(10, '0')),
});

const write = (rows: readonly Refused[], room?: { items: number; bytes: number }) =>
  database.database.transaction((tx) => writeQuarantine(tx, rows, room));

async function kept(agent: string): Promise<string[]> {
  const { rows } = await sql<{ payload: Uint8Array }>`
    select payload from quarantine where agent_id = ${agent} order by id
  `.execute(database.database.sql);
  return rows.map(({ payload }) => String(Number(new TextDecoder().decode(payload))));
}

const kindsOf = async (agent: string) =>
  (await listKinds(database.database.sql, { agent: undefined, after: 0, limit: 100 })).filter(
    ({ agentId }) => agentId === agent,
  );

test('a flood of one kind drops the oldest of that kind, counted, and nobody else’s', async () => {
  const room = { items: 20, bytes: 1_000_000 };
  await write([refused('calm', 1, 'bin: there is no x')], room);
  await write([refused('flood', 1, 'value: beyond any scale')], room);
  for (let number = 2; number <= 50; number += 1) {
    await write([refused('flood', number, `at: ${number} ms ahead of the cloud's clock`)], room);
  }
  const left = await kept('flood');
  expect(left.length).toBeLessThanOrEqual(20);
  expect(left.length).toBeGreaterThanOrEqual(17);
  expect(left[0]).toBe('1');
  expect(left.at(-1)).toBe('50');
  const gone = 50 - left.length;
  expect(await kindsOf('flood')).toMatchObject([
    {
      kind: 'at',
      kept: left.length - 1,
      dropped: gone,
      droppedBytes: 10 * gone,
      droppedFrom: 2,
      droppedTo: 1 + gone,
    },
    { kind: 'value', kept: 1, dropped: 0, droppedFrom: null },
  ]);
  expect(await kept('calm')).toEqual(['1']);
});

test('bytes are bounded as well, whatever is dropped for it', async () => {
  const room = { items: 1_000, bytes: 200 };
  const dropped = await write(
    Array.from({ length: 100 }, (_, number) => refused('fat', number, `kind ${number % 3}`)),
    room,
  );
  const left = await kept('fat');
  expect(left.length * 10).toBeLessThanOrEqual(200);
  expect(left.length + dropped).toBe(100);
  const kinds = await kindsOf('fat');
  expect(kinds.map(({ kind }) => kind)).toEqual(['kind #']);
  expect(kinds[0]?.dropped).toBe(dropped);
});

test('one that is larger than the room is dropped at once, and says so', async () => {
  expect(await write([refused('huge', 7, 'not JSON')], { items: 10, bytes: 5 })).toBe(1);
  expect(await kept('huge')).toEqual([]);
  expect(await kindsOf('huge')).toMatchObject([{ kind: 'not JSON', kept: 0, dropped: 1 }]);
});

test('the same again only counts', async () => {
  const one = refused('same', 3, 'bin: there is no y');
  await write([one, one]);
  await write([one]);
  const listed = await listQuarantine(database.database.sql, {
    agent: undefined,
    before: Number.MAX_SAFE_INTEGER,
    limit: 100,
  });
  expect(listed.filter(({ agentId }) => agentId === 'same')).toMatchObject([
    { times: 3, kind: 'bin' },
  ]);
});
