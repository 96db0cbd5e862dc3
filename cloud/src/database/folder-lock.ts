import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure, messageOf } from '#shared/failure.ts';

/**
 * Takes a folder for this process alone, until released or until the process ends, however it ends.
 * It is SQLite's exclusive lock on an empty file, hence the operating system's: it cannot go stale,
 * where a file with a process id does (in a container every program is process 1).
 * @returns releases the lock; may be called twice
 * @throws Failure `database-in-use` where another process, or this one, has the folder
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'lock');
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { timeout: 0 });
    lock.exec('begin exclusive');
  } catch (cause) {
    lock?.close();
    if (isBusy(cause)) {
      const message = `${folder}: in use by another process; stop that one, or give this another folder`;
      throw new Failure('database-in-use', message, { retry: 'never', cause });
    }
    const message = `${file}: cannot be locked: ${messageOf(cause)}`;
    throw new Failure('database-unopenable', message, { retry: 'never', cause });
  }
  const held = lock;
  return () => {
    if (held.isOpen) held.close();
  };
}

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && 'errcode' in thrown && thrown.errcode === SQLITE_BUSY;
}
