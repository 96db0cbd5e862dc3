/** A program of its own, run by cluster.ts: makes a PostgreSQL cluster in the folder given. */
import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { PGlite } from '@electric-sql/pglite';

const [, , target] = argv;
if (target === undefined) throw new Error('expected the folder of the cluster');

const pglite = await PGlite.create({ dataDir: target });
await pglite.close();
for (const entry of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
  sync(join(target, entry));
}
sync(target);

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
