import type { Kysely } from 'kysely';
import type { BinId } from '#shared/ids.ts';
import { ROLLUP_MS } from '#shared/units.ts';
import type { Tables } from '../database/tables.ts';
import type { ReadingsStore } from '../readings/store.ts';
import { foldReading, newestAt, parseFold, serializeFold, startFold } from './core/fold.ts';
import type { FoldState } from './core/fold.ts';
import type { BinSetup, Movement, Rollup } from './core/model.ts';
import { checkpointsBefore, type Checkpoint } from './ledger.ts';

/**
 * So many readings of a bin are folded between two checkpoints: what a start after a crash, or a
 * late reading, costs at most. Folding them takes some ten milliseconds.
 */
export const CHECKPOINT_EVERY = 2_000;

export interface BinHistory {
  readonly bin: BinId;
  /** Oldest first. */
  readonly setups: readonly BinSetup[];
}

/** A bin's history from some point on, as its stored readings tell it. */
export interface Telling {
  readonly bin: BinId;
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

export type Readings = Pick<ReadingsStore, 'read'>;

/** Folds each bin's stored readings from the newest checkpoint on that lies before `before`. */
export async function tell(
  tx: Kysely<Tables>,
  readings: Readings,
  histories: readonly (BinHistory & { readonly before: number })[],
): Promise<Telling[]> {
  // At a bucket's edge, so that no row of a bucket is told half before and half after it.
  const edges = histories.map(({ bin, before }) => ({
    bin,
    before: before - (before % ROLLUP_MS),
  }));
  const checkpoints = await checkpointsBefore(tx, edges);
  const tellings: Telling[] = [];
  for (const history of histories) {
    const checkpoint = checkpoints.get(history.bin);
    const state = checkpoint === undefined ? startFold() : resume(checkpoint);
    tellings.push(await tellFrom(readings, history, state));
  }
  return tellings;
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

/** Folds a bin's stored readings after those in `state`, which is changed. */
async function tellFrom(
  readings: Readings,
  { bin, setups }: BinHistory,
  state: FoldState,
): Promise<Telling> {
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
    bin,
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

/** Folds a bin from its first stored reading. */
export async function tellAll(readings: Readings, history: BinHistory): Promise<Telling> {
  return await tellFrom(readings, history, startFold());
}
