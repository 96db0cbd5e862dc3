import { open, rename } from 'node:fs/promises';
import { Failure, messageOf } from '#shared/failure.ts';
import type { Database } from '../database/database.ts';
import { createKey } from './keys.ts';

/**
 * Where nobody could administer the cloud, for want of a supplier's key that is not revoked, makes
 * one and writes it to a file that only the owner may read. So whoever has revoked the last one gets
 * in again by restarting.
 * @returns whether it did
 * @throws Failure `first-key-unwritable`
 */
export async function ensureFirstKey(
  database: Database,
  file: string,
  nowMs: number,
): Promise<boolean> {
  return await database.transaction(async (tx) => {
    const known = await tx
      .selectFrom('api_key')
      .select('id')
      .where('role', '=', 'supplier')
      .where('revoked_ms', 'is', null)
      .executeTakeFirst();
    if (known !== undefined) return false;
    const first = { name: 'first', role: 'supplier', customerId: null } as const;
    const created = await createKey(tx, first, nowMs);
    if (!created.ok) throw new Error(created.reason);
    // Before the commit: a key in the file alone is replaced at the next start, one in the database
    // alone would be nobody's for ever.
    await writePrivately(file, `${created.value.key}\n`);
    return true;
  });
}

async function writePrivately(file: string, text: string): Promise<void> {
  const unfinished = `${file}.unfinished`;
  try {
    const handle = await open(unfinished, 'w', 0o600);
    try {
      // The mode of open is for new files only, and cut by the umask.
      await handle.chmod(0o600);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (cause) {
    const message = `${file}: the first key cannot be written: ${messageOf(cause)}`;
    throw new Failure('first-key-unwritable', message, { retry: 'never', cause });
  }
}
