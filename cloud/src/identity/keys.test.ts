import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { customerId } from '#shared/ids.ts';
import { openTestDatabase, type TestDatabase } from '../../test/database.ts';
import { acme, seedMasterData } from '../../test/master-data.ts';
import { ensureFirstKey } from './first-key.ts';
import { createKey, listKeys, revokeKey, verifyKey, type NewApiKey } from './keys.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
  await seedMasterData(test.database);
});
afterAll(() => test.close());
beforeEach(() => test.database.sql.deleteFrom('api_key').execute());

const supplier: NewApiKey = { name: 'planner', role: 'supplier', customerId: null };

async function someKey(wanted: NewApiKey = supplier) {
  const created = await createKey(test.database.sql, wanted, 1);
  if (!created.ok) throw new Error(created.reason);
  const { key, ...record } = created.value;
  return { key, record };
}

describe('an api key', () => {
  it('is known again, with its role and customer', async () => {
    const { key, record } = await someKey({ name: 'Acme', role: 'customer', customerId: acme });
    expect(record).toMatchObject({ name: 'Acme', role: 'customer', customerId: 'acme' });
    expect(await verifyKey(test.database.sql, key)).toEqual(record);
  });

  it('is 256 random bits behind a prefix, and never the same', async () => {
    const keys = [await someKey(), await someKey()].map(({ key }) => key);
    for (const key of keys) expect(key).toMatch(/^off_[A-Za-z0-9_-]{43}$/);
    expect(new Set(keys).size).toBe(2);
  });

  it('stands nowhere in the database', async () => {
    const { key } = await someKey();
    const { rows } = await sql<{ text: string }>`select api_key::text as text from api_key`.execute(
      test.database.sql,
    );
    const text = JSON.stringify(rows);
    expect(text).not.toContain(key);
    expect(text).not.toContain(key.slice('off_'.length));
    expect(text).toMatch(/[0-9a-f]{64}/);
  });

  it('is unknown when a character differs, is missing or too many', async () => {
    const { key } = await someKey();
    const wrong = [
      key.slice(0, -1),
      `${key}A`,
      key.toUpperCase(),
      key.slice('off_'.length),
      '',
      'off_',
      '\u0000',
    ];
    for (const one of wrong) {
      expect(await verifyKey(test.database.sql, one)).toBeUndefined();
    }
  });

  it('is unknown from its revocation on, which keeps its first time', async () => {
    const { sql: db } = test.database;
    const { key, record } = await someKey();
    const other = await someKey();
    expect(await revokeKey(db, record.id, 50)).toEqual({
      ok: true,
      value: { ...record, revokedAt: 50 },
    });
    expect(await revokeKey(db, record.id, 99)).toMatchObject({ value: { revokedAt: 50 } });
    expect(await verifyKey(db, key)).toBeUndefined();
    expect(await verifyKey(db, other.key)).toEqual(other.record);
    expect(await revokeKey(db, 'none', 99)).toEqual({ ok: false, reason: 'not-found' });
  });

  it('is refused for a customer that is not there', async () => {
    const wanted: NewApiKey = { name: 'x', role: 'customer', customerId: customerId('nobody') };
    expect(await createKey(test.database.sql, wanted, 1)).toEqual({
      ok: false,
      reason: 'unknown-customer',
    });
  });

  it('is listed, page by page, revoked or not, without its secret', async () => {
    const { sql: db } = test.database;
    const keys = [await someKey(), await someKey(), await someKey()].map(({ record }) => record);
    keys.sort((a, b) => (a.id < b.id ? -1 : 1));
    const first = await listKeys(db, { limit: 2 });
    expect(first).toEqual(keys.slice(0, 2));
    expect(await listKeys(db, { limit: 2, after: first[1]?.id })).toEqual(keys.slice(2));
  });
});

describe('the first key', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'offtake-keys-'));
    return () => rm(folder, { recursive: true });
  });

  it('is made once, in a file for the owner alone', async () => {
    const file = join(folder, 'first-key');
    expect(await ensureFirstKey(test.database, file, 7)).toBe(true);
    const text = await readFile(file, 'utf8');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await verifyKey(test.database.sql, text.trim())).toMatchObject({
      name: 'first',
      role: 'supplier',
      createdAt: 7,
    });
    expect(await ensureFirstKey(test.database, file, 8)).toBe(false);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('is made anew when no supplier could get in, and stays private in a file that was not', async () => {
    const file = join(folder, 'first-key');
    await writeFile(`${file}.unfinished`, 'left by an interrupted start', { mode: 0o644 });
    const { record } = await someKey();
    await someKey({ name: 'Acme', role: 'customer', customerId: acme });
    expect(await ensureFirstKey(test.database, file, 8)).toBe(false);
    await revokeKey(test.database.sql, record.id, 9);
    expect(await ensureFirstKey(test.database, file, 10)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const key = (await readFile(file, 'utf8')).trim();
    expect(await verifyKey(test.database.sql, key)).toMatchObject({ role: 'supplier' });
  });

  it('is not in force when its file could not be written', async () => {
    const file = join(folder, 'first-key');
    await mkdir(file);
    await expect(ensureFirstKey(test.database, file, 1)).rejects.toMatchObject({
      code: 'first-key-unwritable',
    });
    expect(await listKeys(test.database.sql, { limit: 9 })).toEqual([]);
  });
});
