import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs, { readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { customerId } from '#shared/ids.ts';
import { copyTestDatabase, openTestDatabase, type TestDatabase } from '../../test/database.ts';
import { openPglite } from './pglite.ts';

const acme = customerId('acme');

describe('an open database', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await openTestDatabase();
  });
  afterAll(() => test.close());

  it('gives bigints as numbers, also the largest safe one', async () => {
    const { rows } = await sql<{ big: number }>`
      select ${Number.MAX_SAFE_INTEGER}::bigint as big`.execute(test.database.sql);
    expect(rows).toEqual([{ big: Number.MAX_SAFE_INTEGER }]);
  });

  it('refuses a bigint that is no safe integer rather than rounding it', async () => {
    const query = sql`select 9007199254740993::bigint as big`.execute(test.database.sql);
    await expect(query).rejects.toThrow(/no safe integer/);
  });

  it('has a commit on the disk before it says so', async () => {
    const fsync = vi.spyOn(fs, 'fsyncSync');
    syncBuiltinESMExports();
    await test.database.sql
      .insertInto('customer')
      .values({ id: customerId('durable'), name: 'D' })
      .execute();
    const files = fsync.mock.calls.length;
    fsync.mockRestore();
    syncBuiltinESMExports();
    await test.database.sql.deleteFrom('customer').execute();
    expect(files).toBeGreaterThan(0);
    const { rows } = await sql`select current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as commit,
      current_setting('full_page_writes') as pages`.execute(test.database.sql);
    expect(rows).toEqual([{ fsync: 'on', commit: 'on', pages: 'on' }]);
  });

  it("lets no other query into a transaction, and rolls back that transaction's only", async () => {
    const { database } = test;
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const failing = database.transaction(async (tx) => {
      await tx
        .insertInto('customer')
        .values({ id: customerId('lost'), name: 'L' })
        .execute();
      begun.resolve();
      await gate.promise;
      throw new Error('changed my mind');
    });
    await begun.promise;
    const outside = database.sql
      .insertInto('customer')
      .values({ id: customerId('kept'), name: 'K' })
      .execute();
    const second = database.transaction(
      async (tx) => await tx.selectFrom('customer').select('id').orderBy('id').execute(),
    );
    gate.resolve();
    await expect(failing).rejects.toThrow('changed my mind');
    await outside;
    expect(await second).toEqual([{ id: 'kept' }]);
  });

  it('says so when a query inside of a transaction goes past it, instead of waiting for ever', async () => {
    const { database } = test;
    await expect(
      database.transaction(() => database.sql.selectFrom('customer').selectAll().execute()),
    ).rejects.toThrow('query through its tx');
    await expect(
      database.transaction(() => database.transaction(() => Promise.resolve())),
    ).rejects.toThrow('query through its tx');
    expect(await database.transaction(() => Promise.resolve('still usable'))).toBe('still usable');
  });

  it('does not report a commit that PostgreSQL turned into a rollback', async () => {
    const swallowing = test.database.transaction(async (tx) => {
      await sql`select no_such_column`.execute(tx).catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow('rolled back instead of committed');
  });

  it('writes nothing through a scoped reader', async () => {
    const write = test.database.scoped('*', (tx) =>
      tx.insertInto('customer').values({ id: acme, name: 'A' }).execute(),
    );
    await expect(write).rejects.toThrow(/read-only transaction|permission denied/);
    const back = test.database.scoped(acme, async (tx) => {
      await sql`set transaction read write`.execute(tx);
    });
    await expect(back).rejects.toThrow(/read-write mode must be set before any query/);
  });

  it('shows the owner again after a scoped reader', async () => {
    await test.database.scoped(acme, async (tx) => {
      const { rows } = await sql`select current_user as name`.execute(tx);
      expect(rows).toEqual([{ name: 'offtake_reader' }]);
    });
    const { rows } = await sql`select current_user as name,
      current_setting('offtake.customer', true) as scope`.execute(test.database.sql);
    expect(rows).toEqual([{ name: 'postgres', scope: '' }]);
  });
});

describe('opening a database', () => {
  it('makes it on first start, without initdb in this process, and finds it on the next', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'offtake-database-'));
    await mkdir(join(folder, 'cluster.unfinished'));
    await writeFile(join(folder, 'cluster.unfinished/PG_VERSION'), 'left by an interrupted start');
    const first = await openPglite(folder);
    await first.sql.insertInto('customer').values({ id: acme, name: 'Acme' }).execute();
    await first.close();
    await first.close();
    expect(readdirSync(folder).sort()).toEqual(['cluster', 'lock']);
    const second = await openPglite(folder);
    expect(await second.sql.selectFrom('customer').selectAll().execute()).toHaveLength(1);
    await second.close();
    await rm(folder, { recursive: true });
  });

  it('waits with closing for a transaction under way', async () => {
    const { database, close } = await openTestDatabase();
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const order: string[] = [];
    const work = database
      .transaction(async () => {
        begun.resolve();
        await gate.promise;
      })
      .then(() => order.push('committed'));
    await begun.promise;
    const closing = close().then(() => order.push('closed'));
    gate.resolve();
    await Promise.all([work, closing]);
    expect(order).toEqual(['committed', 'closed']);
    await expect(database.sql.selectFrom('bin').selectAll().execute()).rejects.toThrow(
      /destroyed|closed/,
    );
  });

  it('refuses a folder that this or another process has open, and takes it once that died', async () => {
    const { database, folder, close } = await openTestDatabase();
    await expect(openPglite(folder)).rejects.toMatchObject({ code: 'database-in-use' });
    await database.close();

    const holder = fork(new URL('../../test/database-holder.ts', import.meta.url), [folder], {
      execArgv: [],
      stdio: 'inherit',
    });
    expect((await once(holder, 'message'))[0]).toBe('open');
    await expect(openPglite(folder)).rejects.toMatchObject({ code: 'database-in-use' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');

    const again = await openPglite(folder);
    const rows = await again.sql.selectFrom('customer').selectAll().execute();
    expect(rows).toEqual([{ id: 'acme', name: 'committed before the kill' }]);
    await again.close();
    await close();
  });

  const damages: Record<string, (cluster: string) => Promise<void>> = {
    'a truncated control file': (cluster) => truncate(join(cluster, 'global/pg_control'), 100),
    'no write-ahead log': (cluster) => rm(join(cluster, 'pg_wal'), { recursive: true }),
    "another version's files": (cluster) => writeFile(join(cluster, 'PG_VERSION'), '17\n'),
    'no version at all': (cluster) => rm(join(cluster, 'PG_VERSION')),
  };
  it.each(Object.entries(damages))(
    'reports a database with %s in one line and leaves it as it was',
    async (_, damage) => {
      const folder = await copyTestDatabase();
      const cluster = join(folder, 'cluster');
      await damage(cluster);
      const copy = `${folder}-copy`;
      await cp(folder, copy, { recursive: true });
      const failure: unknown = await openPglite(folder).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'database-unopenable', retry: 'never' });
      const { message } = failure as Error;
      expect(message).toContain(cluster);
      expect(message).toMatch(/restore .*from a backup/);
      expect(message).not.toContain('\n');
      expect(readdirSync(join(cluster, 'base')).sort()).toEqual(
        readdirSync(join(copy, 'cluster/base')).sort(),
      );
      expect(await readFile(join(cluster, 'global/pg_control'))).toEqual(
        await readFile(join(copy, 'cluster/global/pg_control')),
      );
      await rm(folder, { recursive: true });
      await rm(copy, { recursive: true });
    },
  );

  it('says what is wrong when the folder cannot be made', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'offtake-database-'));
    await writeFile(join(folder, 'file'), '');
    await expect(openPglite(join(folder, 'file/database'))).rejects.toMatchObject({
      code: 'database-unopenable',
    });
    await rm(folder, { recursive: true });
  });
});
