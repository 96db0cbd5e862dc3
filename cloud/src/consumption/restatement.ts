import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { stockOf } from './core/fold.ts';
import type { Movement, Rollup } from './core/model.ts';
import {
  currentRevisions,
  deleteRollups,
  deleteStocks,
  dropCheckpointsAfter,
  movementsFrom,
  rollupsFrom,
  supersedeFrom,
  writeLedger,
  type OfBin,
  type RestatementCause,
} from './ledger.ts';
import { tellAll, type BinHistory, type Readings, type Telling } from './telling.ts';

/** What writing a telling changed of what was written before. */
export interface Told {
  readonly telling: Telling;
  readonly revision: number;
  readonly restated: boolean;
}

/**
 * Makes the ledger say what the tellings say. Movements that were never written are added; where
 * written ones are contradicted, they are superseded by a new revision and a restatement says why.
 * A telling that agrees with the ledger writes nothing.
 */
export async function writeTellings(
  tx: Kysely<Tables>,
  tellings: readonly Telling[],
  why: { readonly cause: RestatementCause; readonly nowMs: number },
): Promise<Told[]> {
  const bins = tellings.map(({ bin }) => bin);
  const starts = tellings.map(({ bin, firstOrdinal, firstBucket }) => {
    return { bin, ordinal: firstOrdinal, bucket: firstBucket };
  });
  const revisions = await currentRevisions(tx, bins);
  const movements = await movementsFrom(tx, starts);
  const rollups = await rollupsFrom(tx, starts);
  const told: (Told & { readonly added: readonly Movement[] })[] = [];
  for (const telling of tellings) {
    const before = { movements: movements.get(telling.bin) ?? [], ...why };
    told.push(await reconcile(tx, telling, revisions.get(telling.bin) ?? 1, before));
  }
  const changed = tellings.map((telling) => differingRollups(telling, rollups.get(telling.bin)));
  const stocks = tellings.map(({ bin, state }) => ({ bin, stock: stockOf(state) }));
  await deleteRollups(
    tx,
    changed.flatMap(({ stale }) => stale),
  );
  await deleteStocks(
    tx,
    stocks.filter(({ stock }) => stock === null).map(({ bin }) => bin),
  );
  await dropCheckpointsAfter(
    tx,
    tellings.map(({ bin, since }) => ({ bin, at: since })),
  );
  await writeLedger(tx, {
    movements: told.flatMap(({ telling: { bin }, revision, added }) =>
      added.map((movement) => ({ bin, revision, ...movement })),
    ),
    rollups: changed.flatMap(({ differing }) => differing),
    stocks: stocks.flatMap(({ bin, stock }) => (stock === null ? [] : [{ bin, ...stock }])),
    checkpoints: tellings.flatMap(({ bin, checkpoints }) =>
      checkpoints.map((checkpoint) => ({ bin, ...checkpoint })),
    ),
  });
  return told;
}

/** Supersedes the written movements that a telling contradicts. */
async function reconcile(
  tx: Kysely<Tables>,
  telling: Telling,
  current: number,
  before: {
    readonly movements: readonly Movement[];
    readonly cause: RestatementCause;
    readonly nowMs: number;
  },
): Promise<Told & { readonly added: readonly Movement[] }> {
  const agreed = agreeingRows(before.movements, telling.movements);
  const withdrawn = before.movements.slice(agreed);
  const added = telling.movements.slice(agreed);
  if (withdrawn.length === 0) return { telling, revision: current, restated: false, added };
  const firsts = [...withdrawn.slice(0, 1), ...added.slice(0, 1)];
  const revision = current + 1;
  await supersedeFrom(tx, telling.firstOrdinal + agreed, {
    bin: telling.bin,
    revision,
    at: before.nowMs,
    from: Math.min(...firsts.map(({ from }) => from)),
    cause: before.cause,
    consumed: { before: amount(withdrawn, 'consumption'), after: amount(added, 'consumption') },
    refilled: { before: amount(withdrawn, 'refill'), after: amount(added, 'refill') },
  });
  return { telling, revision, restated: true, added };
}

function agreeingRows(written: readonly Movement[], told: readonly Movement[]): number {
  let count = 0;
  for (; count < written.length; count += 1) {
    const [a, b] = [written[count], told[count]];
    if (a === undefined || b === undefined || movementLine(a) !== movementLine(b)) break;
  }
  return count;
}

function amount(movements: readonly Movement[], kind: 'consumption' | 'refill'): number {
  return movements.reduce(
    (sum, row) => (row.kind === kind ? sum + Math.abs(row.quantity) : sum),
    0,
  );
}

function differingRollups(
  { bin, firstBucket, product, rollups }: Telling,
  rows: readonly OfBin<Rollup>[] = [],
): { differing: OfBin<Rollup>[]; stale: OfBin<Rollup>[] } {
  const written = rows.filter(
    (row) => row.bucket > firstBucket || product === null || row.product === product,
  );
  const told = new Map(rollups.map((row) => [rollupKey(row), row]));
  const before = new Map(written.map((row) => [rollupKey(row), rollupLine(row)]));
  return {
    differing: [...told]
      .filter(([key, row]) => before.get(key) !== rollupLine(row))
      .map(([, row]) => ({ bin, ...row })),
    stale: written.filter((row) => !told.has(rollupKey(row))),
  };
}

const rollupKey = ({ bucket, product }: Rollup): string => `${bucket} ${product}`;

/** A row as text: equal where every figure is. */
function movementLine(row: Movement): string {
  const { ordinal, product, from, at, kind, quantity, low, high } = row;
  const { massMg, confidencePpm, closing } = row;
  const figures = [from, at, quantity, low, high, massMg, confidencePpm, closing];
  return `${ordinal} ${product} ${kind} ${figures.join(' ')}\n`;
}

function rollupLine(row: Rollup): string {
  const { bucket, product, consumed, refilled, unexplained, adjusted, exposureMs, closing } = row;
  return `${bucket} ${product} ${[consumed, refilled, unexplained, adjusted, exposureMs, closing].join(' ')}\n`;
}

/** Two ledgers of a bin with the same hash agree in every movement and every closed bucket. */
export interface LedgerHashes {
  readonly equal: boolean;
  /** sha256 of the ledger as it is written, and as all stored readings tell it. */
  readonly written: string;
  readonly told: string;
  readonly movements: number;
}

/** Folds a bin from its first stored reading and compares the result with the ledger. */
export async function compareLedger(
  tx: Kysely<Tables>,
  readings: Readings,
  history: BinHistory,
): Promise<{ hashes: LedgerHashes; telling: Telling }> {
  const { bin } = history;
  const telling = await tellAll(readings, history);
  const closed = telling.rollups.slice(0, telling.closedRollups);
  const last = new Map(closed.map((row) => [rollupKey(row), row]));
  const movements = (await movementsFrom(tx, [{ bin, ordinal: 0 }])).get(bin) ?? [];
  // Buckets that are still open are written with the next movement only.
  const open = new Set(telling.state.open.map(rollupKey));
  const rollups = (await rollupsFrom(tx, [{ bin, bucket: 0 }])).get(bin) ?? [];
  const written = ledgerHash(
    movements,
    rollups.filter((row) => !open.has(rollupKey(row))),
  );
  const told = ledgerHash(telling.movements, [...last.values()]);
  const hashes = { equal: written === told, written, told, movements: telling.movements.length };
  return { hashes, telling };
}

function ledgerHash(movements: readonly Movement[], rollups: readonly Rollup[]): string {
  const hash = createHash('sha256');
  for (const movement of movements) hash.update(movementLine(movement));
  const inOrder = rollups.toSorted(
    (a, b) => a.bucket - b.bucket || (a.product < b.product ? -1 : Number(a.product > b.product)),
  );
  for (const rollup of inOrder) hash.update(rollupLine(rollup));
  return hash.digest('hex');
}
