import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { PGlite, Transaction } from '@electric-sql/pglite';
import { Failure, messageOf } from '#shared/failure.ts';

/** Where the numbered files are: `0001-loop.sql`, `0002-…`, without gaps. */
export const MIGRATIONS = new URL('./migrations/', import.meta.url);

interface Migration {
  readonly number: number;
  readonly file: string;
  readonly text: string;
  readonly checksum: string;
}

interface Applied {
  readonly number: number;
  readonly file: string;
  readonly checksum: string;
}

/**
 * Brings the schema to the newest migration, all in one transaction.
 * @throws Failure `database-newer`, `migration-changed` or `migration-failed`; nothing is changed then
 */
export async function migrate(
  pglite: Pick<PGlite, 'transaction'>,
  folder: URL = MIGRATIONS,
): Promise<void> {
  const known = await readMigrations(folder);
  await pglite.transaction(async (tx) => {
    await tx.exec(`create table if not exists migration (
      number integer primary key,
      file text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`);
    const { rows } = await tx.query<Applied>(
      'select number, file, checksum from migration order by number',
    );
    checkApplied(known, rows);
    for (const migration of known.slice(rows.length)) await apply(tx, migration);
  });
}

async function readMigrations(folder: URL): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file, index) => {
      const number = Number(file.slice(0, 4));
      if (number !== index + 1) throw new Error(`${file}: expected migration ${index + 1}`);
      const text = await readFile(new URL(file, folder), 'utf8');
      const checksum = createHash('sha256').update(text).digest('hex');
      return { number, file, text, checksum };
    }),
  );
}

function checkApplied(known: readonly Migration[], applied: readonly Applied[]): void {
  for (const [index, { file, checksum }] of applied.entries()) {
    const migration = known[index];
    if (migration === undefined) {
      const message =
        `the database was changed by a newer version (${file}), which this one does not know; ` +
        'run that version, or restore a backup from before';
      throw new Failure('database-newer', message, { retry: 'never' });
    }
    if (migration.checksum !== checksum) {
      const message =
        `${migration.file} is not what was applied to the database (as ${file}); ` +
        'install the released files again';
      throw new Failure('migration-changed', message, { retry: 'never' });
    }
  }
}

async function apply(tx: Transaction, { number, file, text, checksum }: Migration): Promise<void> {
  try {
    await tx.exec(text);
  } catch (cause) {
    const message = `${file} could not be applied: ${messageOf(cause)}`;
    throw new Failure('migration-failed', message, { retry: 'never', cause });
  }
  await tx.query('insert into migration (number, file, checksum) values ($1, $2, $3)', [
    number,
    file,
    checksum,
  ]);
}
