import { fsyncSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/**
 * PGlite starts PostgreSQL with fsync off (`-F`), and its files have no fsync anyway, so that a
 * commit survives the process's death but not the machine's
 * (https://github.com/electric-sql/pglite/issues/1107). We receipt readings after a commit, and the
 * agent then deletes them: a commit must be on the disk. Hence the missing call, and fsync on.
 */
export class DurableFiles extends NodeFS {
  override async init(...args: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...args);
    const preRun = [emscriptenOpts.preRun ?? []].flat();
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...preRun, addSync] } };
  }
}

/** @param module PGlite's Emscripten module, whose file systems the types do not tell of */
function addSync(module: object): void {
  const { NODEFS } = module as { NODEFS: { stream_ops: { fsync?: typeof fsync } } };
  NODEFS.stream_ops.fsync = fsync;
}

/** WASI's errno of an I/O error; PostgreSQL stops at it, as it must. */
const EIO = 29;

/** Files and folders alike have a descriptor of the host. */
function fsync(stream: { readonly nfd: number }): number {
  try {
    fsyncSync(stream.nfd);
    return 0;
  } catch {
    return EIO;
  }
}

/** `wal_sync_method`: PGlite's fdatasync, the default on Linux, is empty; its fsync is ours. */
export const DURABLE_START = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
  '-c',
  'wal_sync_method=fsync',
];
