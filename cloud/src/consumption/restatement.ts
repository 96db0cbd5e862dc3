import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { BinId } from '#shared/ids.ts';
import { ROLLUP_MS } from '#shared/units.ts';
import type { Tables } from '../database/tables.ts';
import type { ReadingsStore } from '../readings/store.ts';
import { foldReading, newestAt, parseFold, serializeFold, startFold } from './core/fold.ts';
import { stockOf, type FoldState } from './core/fold.ts';
import type { BinSetup, Movement, Rollup } from './core/model.ts';
import {
  checkpointBefore,
  currentRevision,
  deleteRollups,
  deleteStock,
  dropCheckpointsAfter,
  movementsFrom,
  rollupsFrom,
  supersedeFrom,
  writeLedger,
  type Checkpoint,
  type RestatementCause,
} from './ledger.ts';

/**
 * So many readings of a bin are folded between two checkpoints: what a start after a crash, or a
 * late reading, costs at most. Folding them takes some ten milliseconds.
 */
export const CHECKPOINT_EVERY = 2_000;

/** A bin's history from some point on, as its stored readings tell it. */
export interface Telling {
  readonly state: FoldState;
  /** Every stored reading after this time is in the state; 0 where all are. */
  readonly since: number;
  /** Where the told part of the ledger begins. */
  readonly firstOrdinal: number;
  readonly firstBucket: number;
  /** Whether rows of the first bucket belong to the part before, being of another product. */
  readonly product: string | null;
  readonly movements: readonly Movement[];
  /** Closed ones and those still open. */
  readonly rollups: readonly Rollup[];
  readonly closedRollups: number;
  readonly checkpoints: readonly Checkpoint[];
  /** Readings folded since the newest checkpoint. */
  readonly uncovered: number;
}

export interface BinHistory {
  readonly readings: Pick<ReadingsStore, 'read'>;
  readonly bin: BinId;
  /** Oldest first. */
  readonly setups: readonly BinSetup[];
}

/** Folds a bin's stored readings from the newest checkpoint on that lies before `before`. */
export async function tell(
  tx: Kysely<Tables>,
  history: BinHistory,
  before: number,
): Promise<Telling> {
  // At a bucket's edge, so that no row of a bucket is told half before and half after it.
  const edge = before - (before % ROLLUP_MS);
  const checkpoint = await checkpointBefore(tx, history.bin, edge);
  return await tellFrom(history, checkpoint === undefined ? startFold() : resume(checkpoint));
}

/** A checkpoint of an earlier version of the fold is no use: the bin is told from its start. */
function resume({ state }: Checkpoint): FoldState {
  try {
    return parseFold(state);
  } catch (error) {
    if (error instanceof TypeError) return startFold();
    throw error;
  }
}

async function tellFrom({ readings, bin, setups }: BinHistory, state: FoldState): Promise<Telling> {
  const since = newestAt(state);
  const firstOrdinal = state.ordinal + 1;
  const pending = state.candidate?.from ?? since;
  const firstBucket = Math.min(state.open[0]?.bucket ?? Infinity, pending - (pending % ROLLUP_MS));
  const product = state.setup?.product ?? null;
  const out = { movements: [] as Movement[], rollups: [] as Rollup[] };
  const checkpoints: Checkpoint[] = [];
  let uncovered = 0;
  const range = { from: since + 1, to: Number.MAX_SAFE_INTEGER };
  for await (const chunk of readings.read(bin, range)) {
    for (const reading of chunk) {
      foldReading(state, setups, reading, out);
      uncovered += 1;
      if (uncovered < CHECKPOINT_EVERY) continue;
      uncovered = 0;
      checkpoints.push({ at: newestAt(state), state: serializeFold(state) });
    }
  }
  return {
    state,
    since,
    firstOrdinal,
    firstBucket,
    product,
    movements: out.movements,
    rollups: [...out.rollups, ...state.open],
    closedRollups: out.rollups.length,
    checkpoints,
    uncovered,
  };
}

/** What writing a telling changed of what was written before. */
export interface Told {
  readonly revision: number;
  readonly restated: boolean;
}

/**
 * Makes the ledger say what the telling says. Movements that were never written are added; where
 * written ones are contradicted, they are superseded by a new revision and a restatement says why.
 * A telling that agrees with the ledger writes nothing.
 */
export async function writeTelling(
  tx: Kysely<Tables>,
  bin: BinId,
  telling: Telling,
  { cause, nowMs }: { readonly cause: RestatementCause; readonly nowMs: number },
): Promise<Told> {
  const { state, since, firstOrdinal, movements, checkpoints } = telling;
  const written = await movementsFrom(tx, bin, firstOrdinal);
  const agreed = agreeingRows(written, movements);
  const withdrawn = written.slice(agreed);
  const added = movements.slice(agreed);
  const revision = (await currentRevision(tx, bin)) + (withdrawn.length > 0 ? 1 : 0);
  if (withdrawn.length > 0) {
    await supersedeFrom(tx, firstOrdinal + agreed, {
      bin,
      revision,
      at: nowMs,
      from: Math.min(...[...withdrawn.slice(0, 1), ...added.slice(0, 1)].map(({ from }) => from)),
      cause,
      consumed: { before: amount(withdrawn, 'consumption'), after: amount(added, 'consumption') },
      refilled: { before: amount(withdrawn, 'refill'), after: amount(added, 'refill') },
    });
  }
  const rollups = await differingRollups(tx, bin, telling);
  await deleteRollups(tx, bin, rollups.stale);
  await dropCheckpointsAfter(tx, bin, since);
  const stock = stockOf(state);
  if (stock === null) await deleteStock(tx, bin);
  await writeLedger(tx, {
    movements: added.map((movement) => ({ bin, revision, ...movement })),
    rollups: rollups.differing.map((rollup) => ({ bin, ...rollup })),
    stocks: stock === null ? [] : [{ bin, ...stock }],
    checkpoints: checkpoints.map((checkpoint) => ({ bin, ...checkpoint })),
  });
  return { revision, restated: withdrawn.length > 0 };
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

async function differingRollups(
  tx: Kysely<Tables>,
  bin: BinId,
  { firstBucket, product, rollups }: Telling,
): Promise<{ differing: Rollup[]; stale: Rollup[] }> {
  const written = (await rollupsFrom(tx, bin, firstBucket)).filter(
    (row) => row.bucket > firstBucket || product === null || row.product === product,
  );
  const told = new Map(rollups.map((row) => [rollupKey(row), row]));
  const before = new Map(written.map((row) => [rollupKey(row), rollupLine(row)]));
  return {
    differing: [...told.values()].filter((row) => before.get(rollupKey(row)) !== rollupLine(row)),
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
  history: BinHistory,
): Promise<{ hashes: LedgerHashes; telling: Telling }> {
  const telling = await tellFrom(history, startFold());
  const closed = telling.rollups.slice(0, telling.closedRollups);
  const told = new Map(closed.map((row) => [rollupKey(row), row]));
  const movements = await movementsFrom(tx, history.bin, 0);
  const open = new Set(telling.state.open.map(rollupKey));
  const rollups = (await rollupsFrom(tx, history.bin, 0)).filter(
    (row) => !open.has(rollupKey(row)),
  );
  const hashes = [
    ledgerHash(movements, rollups),
    ledgerHash(telling.movements, [...told.values()]),
  ] as const;
  const [written, expected] = hashes;
  const equal = written === expected;
  return {
    hashes: { equal, written, told: expected, movements: telling.movements.length },
    telling,
  };
}

export function ledgerHash(movements: readonly Movement[], rollups: readonly Rollup[]): string {
  const hash = createHash('sha256');
  for (const movement of movements) hash.update(movementLine(movement));
  const inOrder = rollups.toSorted(
    (a, b) => a.bucket - b.bucket || (a.product < b.product ? -1 : Number(a.product > b.product)),
  );
  for (const rollup of inOrder) hash.update(rollupLine(rollup));
  return hash.digest('hex');
}
