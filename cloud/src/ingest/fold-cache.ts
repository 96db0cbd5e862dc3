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
import type { Checkpoint, LedgerChanges, OfBin, RestatementCause } from '../consumption/ledger.ts';
import { CHECKPOINT_EVERY, tell, writeTelling, type Telling } from '../consumption/restatement.ts';
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

/** What folding forward wants written, gathered over the bins of a group. */
export interface LedgerDraft extends LedgerChanges {
  readonly movements: OfBin<Movement & { readonly revision: number }>[];
  readonly rollups: OfBin<Rollup>[];
  readonly stocks: OfBin<Stock>[];
  readonly checkpoints: OfBin<Checkpoint>[];
}

export const emptyDraft = (): LedgerDraft => ({
  movements: [],
  rollups: [],
  stocks: [],
  checkpoints: [],
});

export interface Refolded {
  readonly refolded: boolean;
  readonly restated: boolean;
}

/**
 * The folds' states in memory. They are a cache: a bin that is not in it is told anew from its
 * newest checkpoint and the stored readings, and so is one that readings come late for.
 */
export interface FoldCache {
  /**
   * Folds readings of one bin that are stored. They go forward into `draft`; where one is not newer
   * than all before, the bin is told anew and written at once.
   * @param setups the bin's, oldest first
   * @param appended in the order they arrived in
   */
  fold(
    tx: Tx,
    bin: { readonly id: BinId; readonly setups: readonly BinSetup[] },
    appended: readonly Appended[],
    target: { readonly draft: LedgerDraft; readonly nowMs: number },
  ): Promise<Refolded>;
  /** Tells a bin anew from before `from` on. */
  retell(
    tx: Tx,
    bin: { readonly id: BinId; readonly setups: readonly BinSetup[] },
    from: number,
    why: { readonly cause: RestatementCause; readonly nowMs: number },
  ): Promise<Refolded>;
  /** Takes over a telling of the whole bin. */
  adopt(
    tx: Tx,
    bin: BinId,
    telling: Telling,
    why: { readonly cause: RestatementCause; readonly nowMs: number },
  ): Promise<Refolded>;
  /** Forgets bins whose transaction failed: their states may hold what was not committed. */
  drop(bins: Iterable<BinId>): void;
  /** Checkpoints of all that was folded since the last ones. */
  checkpoints(): OfBin<Checkpoint>[];
}

export function createFoldCache(readings: Pick<ReadingsStore, 'read'>): FoldCache {
  const folds = new Map<BinId, BinFold>();

  const cache: FoldCache = {
    async fold(tx, bin, appended, { draft, nowMs }) {
      const fold = folds.get(bin.id);
      if (fold !== undefined && !anyLate(fold, appended)) {
        foldForward(bin.id, fold, bin.setups, appended, draft);
        return { refolded: false, restated: false };
      }
      const oldest = appended.reduce((min, { reading }) => Math.min(min, reading.at), Infinity);
      return await cache.retell(tx, bin, oldest, { cause: 'late-data', nowMs });
    },
    async retell(tx, bin, from, why) {
      const history = { readings, bin: bin.id, setups: bin.setups };
      return await cache.adopt(tx, bin.id, await tell(tx, history, from), why);
    },
    async adopt(tx, bin, telling, why) {
      const { revision, restated } = await writeTelling(tx, bin, telling, why);
      const { state, since, uncovered } = telling;
      folds.set(bin, { state, since, revision, uncovered, stock: stockOf(state) });
      return { refolded: true, restated };
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
