import { messages } from '@electric-sql/pglite';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { openTestDatabase } from '../../test/database.ts';
import { faultOf } from './faults.ts';

it('tells faults of the machinery from refused statements, and when to try again', async () => {
  const { database, close } = await openTestDatabase();
  const raise = (code: string) =>
    database.transaction((tx) =>
      sql`do ${sql.raw(`$$ begin raise exception using errcode = '${code}'; end $$`)}`.execute(tx),
    );
  for (const [code, retry] of [
    ['40001', 'now'],
    ['53100', 'later'],
    ['58030', 'later'],
    ['XX001', 'never'],
  ] as const) {
    await expect(raise(code)).rejects.toMatchObject({ code: 'database-failed', retry });
  }
  await expect(raise('23505')).rejects.toBeInstanceOf(messages.DatabaseError);
  await close();
});

it('knows an engine that stopped, and leaves other mistakes as they are', () => {
  const aborted = Object.assign(new Error('Aborted()'), { name: 'RuntimeError' });
  expect(faultOf(aborted)).toMatchObject({ code: 'database-stopped', retry: 'never' });
  const mistake = new TypeError('x is undefined');
  expect(faultOf(mistake)).toBe(mistake);
});
