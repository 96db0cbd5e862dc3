import { messages } from '@electric-sql/pglite';
import { Failure, type Retry } from '#shared/failure.ts';

/**
 * SQLSTATE classes that are the machinery's fault rather than the statement's.
 * https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
const RETRY_OF_CLASS: Readonly<Record<string, Retry>> = {
  '40': 'now', // rolled back for the sake of others
  '53': 'later', // insufficient resources: disk full, out of memory
  '57': 'later', // operator intervention
  '58': 'later', // system error, such as an I/O error
  XX: 'never', // internal error, corrupted data
};

/** @returns the Failure behind an error of the engine, or the error itself where it is none */
export function faultOf(thrown: unknown): unknown {
  if (thrown instanceof messages.DatabaseError) {
    const retry = RETRY_OF_CLASS[thrown.code?.slice(0, 2) ?? ''];
    if (retry === undefined) return thrown;
    const message = `the database failed: ${thrown.message} (${thrown.code ?? ''})`;
    return new Failure('database-failed', message, { retry, cause: thrown });
  }
  // What WebAssembly throws when the engine aborts.
  if (thrown instanceof Error && thrown.name === 'RuntimeError') {
    const message = `the database engine stopped: ${thrown.message}; restart the program`;
    return new Failure('database-stopped', message, { retry: 'never', cause: thrown });
  }
  return thrown;
}
