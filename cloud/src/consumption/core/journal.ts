import type { Movement, MovementKind, Rollup } from './model.ts';
import { addMovement } from './rollup.ts';
import type { FoldState } from './state.ts';

/** Where the fold puts what it concludes; given anew for each batch or kept, as the caller likes. */
export interface FoldOutput {
  readonly movements: Movement[];
  /** Closed buckets, in absolute values; a later one of the same bucket and product replaces it. */
  readonly rollups: Rollup[];
}

export interface Entry {
  readonly kind: MovementKind;
  readonly from: number;
  readonly at: number;
  readonly quantity: number;
  readonly low: number;
  readonly high: number;
  readonly massMg: number;
  /** 0 … 1 */
  readonly confidence: number;
}

/** Enters a movement into the ledger, so that stock is always the sum of its movements. */
export function post(state: FoldState, out: FoldOutput, entry: Entry): void {
  if (state.setup === null) return;
  state.ordinal += 1;
  state.stock += entry.quantity;
  state.bookedAt = entry.at;
  const { kind, from, at, quantity, low, high, massMg } = entry;
  const movement: Movement = {
    ordinal: state.ordinal,
    product: state.setup.product,
    from,
    at,
    kind,
    quantity,
    low,
    high,
    massMg,
    confidencePpm: Math.round(entry.confidence * 1_000_000),
    closing: state.stock,
  };
  out.movements.push(movement);
  addMovement(state, movement);
}

/** Enters a correction of what was believed, not of what was moved. */
export function adjust(
  state: FoldState,
  out: FoldOutput,
  correction: { from: number; at: number; quantity: number; slack?: number; massMg?: number },
): void {
  const { from, at, quantity, slack = 0, massMg = 0 } = correction;
  const low = quantity - slack;
  const high = quantity + slack;
  // All quantities within the bounds are taken to be alike.
  const confidence = 1 / (2 * slack + 1);
  post(state, out, { kind: 'adjustment', from, at, quantity, low, high, massMg, confidence });
}
