import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { copyTestDatabase } from '../../test/database.ts';
import { migrate } from './migrations.ts';

let home: string;
let pglite: PGlite;
let folder: string;

beforeAll(async () => {
  home = await copyTestDatabase();
  pglite = await PGlite.create({ dataDir: join(home, 'cluster') });
});
afterAll(async () => {
  await pglite.close();
  await rm(home, { recursive: true });
});

beforeEach(async () => {
  await pglite.exec('drop schema public cascade; create schema public');
  folder = await mkdtemp(join(home, 'migrations-'));
  await migration('0001-first.sql', 'create table first (a int); insert into first values (1)');
  await migrate(pglite, at(folder));
});

const at = (path: string): URL => pathToFileURL(`${path}/`);
const migration = (file: string, text: string) => writeFile(join(folder, file), text);

it('applies in order what is new, and nothing twice', async () => {
  await migration('0002-second.sql', 'alter table first add b int default 5');
  await migration('0003-third.sql', 'update first set a = a + b');
  await migrate(pglite, at(folder));
  await migrate(pglite, at(folder));
  const { rows } = await pglite.query('select a, b from first');
  expect(rows).toEqual([{ a: 6, b: 5 }]);
});

it('leaves the schema alone when any migration fails', async () => {
  await migration('0002-second.sql', 'alter table first add b int');
  await migration('0003-third.sql', 'alter table nowhere add b int');
  await expect(migrate(pglite, at(folder))).rejects.toMatchObject({
    code: 'migration-failed',
    message: '0003-third.sql could not be applied: relation "nowhere" does not exist',
  });
  await expect(pglite.query('select b from first')).rejects.toThrow(/does not exist/);
  const { rows } = await pglite.query('select number from migration');
  expect(rows).toEqual([{ number: 1 }]);
});

it('refuses a migration that was changed after it was applied', async () => {
  await migration('0001-first.sql', 'create table first (a bigint)');
  await expect(migrate(pglite, at(folder))).rejects.toMatchObject({ code: 'migration-changed' });
});

it("refuses a newer version's database", async () => {
  await migration('0002-second.sql', 'select 1');
  await migrate(pglite, at(folder));
  await rm(join(folder, '0002-second.sql'));
  await expect(migrate(pglite, at(folder))).rejects.toMatchObject({ code: 'database-newer' });
});

it('takes a gap in the numbers for a mistake', async () => {
  await migration('0003-third.sql', 'select 1');
  await expect(migrate(pglite, at(folder))).rejects.toThrow('expected migration 2');
});
