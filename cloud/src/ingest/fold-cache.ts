import type { Transaction } from 'kysely';
import type { BinId } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';
import {
  foldReading,
  newestAt,
  serializeFold,
  stockOf,
  type FoldState,
} from '../consumption/core/fold.ts';
import type { BinSetup, Movement, Rollup, Stock } from '../consumption/core/model.ts';
import {
  writeLedger,
  type Checkpoint,
  type LedgerChanges,
  type OfBin,
  type RestatementCause,
} from '../consumption/ledger.ts';
import { writeTellings } from '../consumption/restatement.ts';
import { CHECKPOINT_EVERY, tell, type BinHistory, type Telling } from '../consumption/telling.ts';
import type { Tables } from '../database/tables.ts';
import type { AppendOutcome, ReadingsStore } from '../readings/store.ts';

type Tx = Transaction<Tables>;

/** The fold of one bin as far as it is committed. */
interface BinFold {
  readonly state: FoldState;
  /** Every stored reading after this time is in the state. */
  readonly since: number;
  readonly revision: number;
  /** Readings folded since the newest checkpoint. */
  uncovered: number;
  /** As it is written. */
  stock: Stock | null;
}

/** A reading that the store has just been given. */
export interface Appended {
  readonly reading: Reading;
  readonly outcome: Exclude<AppendOutcome, 'conflict'>;
}

/** Sorts what was appended by bin, in the order it arrived in. */
export function addAppended(
  byBin: Map<BinId, Appended[]>,
  reading: Reading | undefined,
  outcome: Appended['outcome'],
): void {
  if (reading === undefined) return;
  const appended = byBin.get(reading.bin);
  if (appended === undefined) byBin.set(reading.bin, [{ reading, outcome }]);
  else appended.push({ reading, outcome });
}

/** What folding forward wants written, gathered over the bins of a group. */
interface LedgerDraft extends LedgerChanges {
  readonly movements: OfBin<Movement & { readonly revision: number }>[];
  readonly rollups: OfBin<Rollup>[];
  readonly stocks: OfBin<Stock>[];
  readonly checkpoints: OfBin<Checkpoint>[];
}

/** How many bins were told anew, and for how many that contradicted what was written. */
export interface Refolded {
  readonly refolded: number;
  readonly restated: number;
}

interface Why {
  readonly cause: RestatementCause;
  readonly nowMs: number;
}

/**
 * The folds' states in memory. They are a cache: a bin that is not in it is told anew from its
 * newest checkpoint and the stored readings, and so is one that readings come late for.
 */
export interface FoldCache {
  /**
   * Folds readings that are stored, and writes what follows from them. Where one is not newer than
   * all before, its bin is told anew.
   * @param bins `appended` in the order they arrived in
   */
  fold(
    tx: Tx,
    bins: readonly (BinHistory & { readonly appended: readonly Appended[] })[],
    nowMs: number,
  ): Promise<Refolded>;
  /** Tells bins anew from before `before` on. */
  retell(
    tx: Tx,
    histories: readonly (BinHistory & { readonly before: number })[],
    why: Why,
  ): Promise<Refolded>;
  /** Takes over tellings, and writes where they differ from the ledger. */
  adopt(tx: Tx, tellings: readonly Telling[], why: Why): Promise<Refolded>;
  /** Forgets bins whose transaction failed: their states may hold what was not committed. */
  drop(bins: Iterable<BinId>): void;
  /** Checkpoints of all that was folded since the last ones. */
  checkpoints(): OfBin<Checkpoint>[];
}

export function createFoldCache(readings: Pick<ReadingsStore, 'read'>): FoldCache {
  const folds = new Map<BinId, BinFold>();

  const cache: FoldCache = {
    async fold(tx, bins, nowMs) {
      const draft: LedgerDraft = { movements: [], rollups: [], stocks: [], checkpoints: [] };
      const anew: (BinHistory & { before: number })[] = [];
      for (const { bin, setups, appended } of bins) {
        const fold = folds.get(bin);
        if (fold !== undefined && !anyLate(fold, appended)) {
          foldForward(bin, fold, setups, appended, draft);
          continue;
        }
        const before = appended.reduce((min, { reading }) => Math.min(min, reading.at), Infinity);
        anew.push({ bin, setups, before });
      }
      await writeLedger(tx, draft);
      return await cache.retell(tx, anew, { cause: 'late-data', nowMs });
    },
    async retell(tx, histories, why) {
      if (histories.length === 0) return { refolded: 0, restated: 0 };
      return await cache.adopt(tx, await tell(tx, readings, histories), why);
    },
    async adopt(tx, tellings, why) {
      const told = await writeTellings(tx, tellings, why);
      for (const { telling, revision } of told) {
        const { bin, state, since, uncovered } = telling;
        folds.set(bin, { state, since, revision, uncovered, stock: stockOf(state) });
      }
      return { refolded: told.length, restated: told.filter(({ restated }) => restated).length };
    },
    drop(bins) {
      for (const bin of bins) folds.delete(bin);
    },
    checkpoints: () =>
      [...folds]
        .filter(([, { uncovered }]) => uncovered > 0)
        .map(([bin, { state }]) => ({ bin, at: newestAt(state), state: serializeFold(state) })),
  };
  return cache;
}

/**
 * Whether a reading cannot simply be folded after those before it. One that was stored earlier may
 * be in the state, or was stored by a process that ended before it could commit; only what lies
 * after `since` is known to be in.
 */
function anyLate({ state, since }: BinFold, appended: readonly Appended[]): boolean {
  let newest = newestAt(state);
  for (const { reading, outcome } of appended) {
    if (reading.at > newest) newest = reading.at;
    else if (outcome === 'stored' || reading.at <= since) return true;
  }
  return false;
}

function foldForward(
  bin: BinId,
  fold: BinFold,
  setups: readonly BinSetup[],
  appended: readonly Appended[],
  draft: LedgerDraft,
): void {
  const { state, revision } = fold;
  const out = { movements: [] as Movement[], rollups: [] as Rollup[] };
  for (const { reading } of appended) {
    if (reading.at <= newestAt(state)) continue;
    foldReading(state, setups, reading, out);
    fold.uncovered += 1;
  }
  for (const movement of out.movements) draft.movements.push({ bin, revision, ...movement });
  for (const rollup of out.rollups) draft.rollups.push({ bin, ...rollup });
  // The open buckets are written with a movement only, so that a quiet reading costs no row.
  if (out.movements.length > 0) {
    for (const rollup of state.open) draft.rollups.push({ bin, ...rollup });
  }
  const stock = stockOf(state);
  if (stock !== null && !looksAlike(stock, fold.stock)) {
    fold.stock = stock;
    draft.stocks.push({ bin, ...stock });
  }
  if (fold.uncovered >= CHECKPOINT_EVERY) {
    fold.uncovered = 0;
    draft.checkpoints.push({ bin, at: newestAt(state), state: serializeFold(state) });
  }
}

/** The mass follows every reading's noise and alone is no reason to write. */
function looksAlike(a: Stock, b: Stock | null): boolean {
  return a.quantity === b?.quantity && a.product === b.product && a.quality === b.quality;
}
