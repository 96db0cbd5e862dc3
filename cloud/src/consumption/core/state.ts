import type { ProductId } from '#shared/ids.ts';
import type { Quality } from '#shared/reading.ts';
import type { QuantityUnit, ReadingUnit } from '#shared/units.ts';
import type { Rollup, Stock } from './model.ts';
import type { Noise } from './noise.ts';
import type { PieceWeight } from './piece-weight.ts';
import type { Candidate, Plateau } from './plateau.ts';
import type { Passing } from './reversal.ts';
import { massMg } from './level.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * All the fold knows of a bin: plain JSON data, integers, of a size that does not grow with the
 * number of readings. Lengths of mass are levels (see level.ts), variances are their squares.
 */
export interface FoldState {
  readonly version: typeof FOLD_VERSION;
  /** Newest reading of any quality; 0 before the first. */
  newestAt: number;
  /** Newest good reading. */
  goodAt: number;
  /** Since when the scale gives no usable weight; 0 while it does. */
  blindSince: number;
  quality: Quality;
  /** What the newest good reading was measured in. */
  unit: ReadingUnit | null;
  setup: AppliedSetup | null;
  /** Of the newest movement. */
  ordinal: number;
  /** In the product's unit. */
  stock: number;
  /** When stock was last booked. */
  bookedAt: number;
  /** Whether the opening level was seen to last; until then a change only corrects it. */
  firm: boolean;
  noise: Noise;
  plateau: Plateau | null;
  candidate: Candidate | null;
  piece: PieceWeight | null;
  /** What came or went and may be reversed. */
  passing: Passing | null;
  /** Buckets that a pending candidate may still change, and the current one last. */
  open: Mutable<Rollup>[];
}

/** The values of the dated setup that the state was last folded under. */
export interface AppliedSetup {
  readonly from: number;
  readonly product: ProductId;
  readonly unit: QuantityUnit;
  readonly tareMg: number;
  readonly pieceMassMg: number | null;
  readonly capacityMg: number;
}

/** Of the state's layout and of the method: a state of another version is not continued. */
const FOLD_VERSION = 1;

export function startFold(): FoldState {
  return {
    version: FOLD_VERSION,
    newestAt: 0,
    goodAt: 0,
    blindSince: 0,
    quality: 'good',
    unit: null,
    setup: null,
    ordinal: 0,
    stock: 0,
    bookedAt: 0,
    firm: false,
    noise: { sampleVariance: 0, division: 0, exactLevel: null, driftPerSecond: 0 },
    plateau: null,
    candidate: null,
    piece: null,
    passing: null,
    open: [],
  };
}

export function serializeFold(state: FoldState): string {
  return JSON.stringify(state);
}

/**
 * @param text of {@link serializeFold}
 * @throws SyntaxError where it is not JSON; TypeError where another version wrote it: fold anew then
 */
export function parseFold(text: string): FoldState {
  const state = JSON.parse(text) as FoldState | null;
  if (state?.version !== FOLD_VERSION) {
    throw new TypeError(`fold state of version ${String(state?.version)}, not ${FOLD_VERSION}`);
  }
  return state;
}

/** Time of the newest reading folded, of any quality; 0 before the first. */
export function newestAt(state: FoldState): number {
  return state.newestAt;
}

/** Stock after the newest reading; `null` before the first good one. */
export function stockOf(state: FoldState): Stock | null {
  const { setup, plateau, newestAt: at, quality, stock } = state;
  if (setup === null || plateau === null) return null;
  const mass = massMg(plateau.level) - setup.tareMg;
  return { at, product: setup.product, quantity: stock, massMg: mass, quality };
}

/** The bucket still being filled, in absolute values; `null` before the first good reading. */
export function openRollup(state: FoldState): Rollup | null {
  const current = state.open.findLast(({ product }) => product === state.setup?.product);
  return current === undefined ? null : { ...current };
}
