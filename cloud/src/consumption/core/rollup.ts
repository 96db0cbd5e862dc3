import { ROLLUP_MS } from '#shared/units.ts';
import type { Movement, Rollup } from './model.ts';
import type { FoldState } from './state.ts';

type Draft = FoldState['open'][number];

function bucketOf(at: number): number {
  return Math.floor(at / ROLLUP_MS) * ROLLUP_MS;
}

/** The open rollup of a time at or after the oldest open one's. */
function draftAt(state: FoldState, at: number): Draft | null {
  const { open, setup } = state;
  if (setup === null) return null;
  const bucket = bucketOf(at);
  let place = open.length;
  for (; place > 0; place -= 1) {
    const draft = open[place - 1];
    if (draft === undefined || draft.bucket < bucket) break;
    if (draft.bucket === bucket && draft.product === setup.product) return draft;
  }
  const draft: Draft = {
    bucket,
    product: setup.product,
    consumed: 0,
    refilled: 0,
    unexplained: 0,
    adjusted: 0,
    exposureMs: 0,
    closing: state.stock,
  };
  open.splice(place, 0, draft);
  return draft;
}

/** Counts the time `from` … `to` as watched. */
export function addExposure(state: FoldState, from: number, to: number): void {
  for (let start = from; start < to;) {
    const end = Math.min(to, bucketOf(start) + ROLLUP_MS);
    const draft = draftAt(state, start);
    if (draft !== null) draft.exposureMs += end - start;
    start = end;
  }
}

/** Adds a movement to its bucket; the product's buckets after it close with the same stock. */
export function addMovement(state: FoldState, movement: Movement): void {
  const draft = draftAt(state, movement.at);
  if (draft === null) return;
  const { kind, quantity } = movement;
  if (kind === 'consumption') draft.consumed -= quantity;
  else if (kind === 'refill') draft.refilled += quantity;
  else if (kind === 'unexplained') draft.unexplained += quantity;
  else draft.adjusted += quantity;
  for (const later of state.open) {
    if (later.bucket >= draft.bucket && later.product === draft.product) {
      later.closing = movement.closing;
    }
  }
}

/**
 * Hands over all open buckets as they are: those of a product that leaves are looked at no more.
 * They stay open, since it may come back within the bucket, and are told once more when they end.
 */
export function tellRollups(state: FoldState, rollups: Rollup[]): void {
  for (const draft of state.open) rollups.push({ ...draft });
}

/** Hands over the buckets that end at or before `until`: nothing can change them any more. */
export function closeRollups(state: FoldState, until: number, rollups: Rollup[]): void {
  const { open } = state;
  while (open.length > 0) {
    const [oldest] = open;
    if (oldest === undefined || oldest.bucket + ROLLUP_MS > until) return;
    rollups.push(oldest);
    open.shift();
  }
}
