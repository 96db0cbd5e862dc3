import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '#shared/failure.ts';

/**
 * PostgreSQL's files in `folder`; made there when this is the first start.
 * initdb takes 6 s and leaves its process at 740 MB, where opening what it made takes 310 MB: hence a
 * process of its own. It writes beside and is renamed, so that half a cluster is never taken for one.
 * @param folder locked by the caller
 * @returns the cluster's folder
 */
export async function ensureCluster(folder: string): Promise<string> {
  const cluster = join(folder, 'cluster');
  if (existsSync(join(cluster, 'PG_VERSION'))) return cluster;
  if (existsSync(cluster) && (await readdir(cluster)).length > 0) {
    const message =
      `${cluster}: holds files but no database (PG_VERSION is missing); ` +
      'restore it from a backup, or move it away to start anew';
    throw new Failure('database-unopenable', message, { retry: 'never' });
  }
  const unfinished = join(folder, 'cluster.unfinished');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  await initdb(unfinished);
  await rename(unfinished, cluster);
  return cluster;
}

async function initdb(target: string): Promise<void> {
  const child = fork(new URL('./initdb.ts', import.meta.url), [target], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === 0) return;
  const why = said.trim().split('\n').at(-1) ?? '';
  const message = `${target}: making the database failed (${signal ?? `exit code ${code}`}): ${why}`;
  throw new Failure('database-unopenable', message, { retry: 'later' });
}
