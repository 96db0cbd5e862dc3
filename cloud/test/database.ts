import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { Database } from '../src/database/database.ts';
import { MIGRATIONS } from '../src/database/migrations.ts';
import { openPglite } from '../src/database/pglite.ts';

export interface TestDatabase {
  readonly database: Database;
  readonly folder: string;
  /** Closes it and removes its folder. */
  readonly close: () => Promise<void>;
}

/** An empty, migrated database of its own in a temporary folder, ready in less than a second. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const folder = await copyTestDatabase();
  const database = await openPglite(folder);
  return {
    database,
    folder,
    async close() {
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** A folder as `openPglite` left it: migrated, empty and closed. To be removed by the caller. */
export async function copyTestDatabase(): Promise<string> {
  const template = await makeTemplate();
  const folder = await mkdtemp(join(tmpdir(), 'offtake-database-'));
  await cp(template, folder, { recursive: true, mode: constants.COPYFILE_FICLONE });
  return folder;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Made by the first test that needs it, and kept until PGlite or a migration changes. */
async function makeTemplate(): Promise<string> {
  const cache = join(ROOT, 'node_modules/.cache/offtake');
  const template = join(cache, `database-${templateVersion()}`);
  await mkdir(cache, { recursive: true });
  if (existsSync(template)) return template;
  // The test files run in processes of their own: one makes it, the others wait here.
  const turn = new DatabaseSync(join(cache, 'turn'), { timeout: 60_000 });
  try {
    turn.exec('begin exclusive');
    if (existsSync(template)) return template;
    const unfinished = await mkdtemp(`${template}-`);
    const database = await openPglite(unfinished);
    await database.close();
    await rename(unfinished, template);
    return template;
  } finally {
    turn.close();
  }
}

function templateVersion(): string {
  const hash = createHash('sha256');
  hash.update(readFileSync(join(ROOT, 'node_modules/@electric-sql/pglite/package.json')));
  for (const file of readdirSync(MIGRATIONS).sort()) {
    hash.update(readFileSync(new URL(file, MIGRATIONS)));
  }
  return hash.digest('hex').slice(0, 16);
}
