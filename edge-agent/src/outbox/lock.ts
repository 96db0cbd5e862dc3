import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure, messageOf } from '#shared/failure.ts';
import { makeFolder } from './file.ts';

/** Primary result code of SQLite, https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;

/**
 * Makes sure that no two agents share a folder. The lock is one of the operating system on an empty
 * SQLite file, since Node has no `flock`: it goes with the process, also after kill -9.
 * @returns what releases the lock
 * @throws Failure `folder-in-use`, `folder-unusable`, or `folder-unwritable` for a lock that cannot be had now
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'agent.lock');
  let lock: DatabaseSync | undefined;
  try {
    makeFolder(folder);
    lock = new DatabaseSync(file, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    // Of a file that cannot be written SQLite holds no such lock, and does not say so.
    accessSync(file, constants.W_OK);
  } catch (error) {
    lock?.close();
    if (error instanceof Failure) throw error;
    const busy =
      error instanceof Error &&
      'errcode' in error &&
      (Number(error.errcode) & 0xff) === SQLITE_BUSY;
    if (busy) {
      const message = `${folder} is in use by another agent: stop it first, or use another dataDir`;
      throw new Failure('folder-in-use', message, { retry: 'later', cause: error });
    }
    const message = `cannot use ${folder}: ${messageOf(error)}; check permissions and free disk`;
    throw new Failure('folder-unwritable', message, { retry: 'later', cause: error });
  }
  const held = lock;
  return () => {
    if (held.isOpen) held.close();
  };
}
