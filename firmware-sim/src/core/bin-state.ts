import { HOUR_MS, MINUTE_MS } from '#shared/units.ts';
import { newGoods, type Goods } from './goods.ts';
import type { BinModel, WorldEvent } from './model.ts';
import { keyOf, streamOf, type Stream } from './random.ts';
import { afterWork, nextWorking } from './working-hours.ts';

/** What lies in a bin now. */
export interface BinContent {
  /** Pieces or mg. */
  readonly quantity: number;
  /** Without the container. */
  readonly massMg: number;
  /** The newest changes, oldest first: those that the scale may still be settling from. */
  readonly recent: readonly WorldEvent[];
  /** Those of the last hour, oldest first: those that it may still be creeping from. */
  readonly lately: readonly WorldEvent[];
}

/** A bin of the world: what lies in it, and what is to happen to it next. */
export interface BinState {
  /** Changes with a swap of the product. */
  model: BinModel;
  readonly random: Stream;
  quantity: number;
  massMg: number;
  recent: WorldEvent[];
  lately: WorldEvent[];
  /** `Infinity` for a store: it moves by shipments alone. */
  nextPickAt: number;
  /** A refill is on its way. */
  ordered: boolean;
}

/** Refills that had to wait for the shift come within this time of its start. */
const SHIFT_START_MS = 90 * MINUTE_MS;
/** How long a change may still be felt by a scale; see load-cell.ts. */
const RECENT_MS = 2 * MINUTE_MS;
/** Working days without a pick after which there is none: decades. */
const NEVER_DAYS = 10_000;
/** How long creep goes on that can be seen. */
const LATELY_MS = HOUR_MS;

/** As it is when the world begins. */
export function startBin(model: BinModel, seed: number, from: number): BinState {
  const bin: BinState = {
    model,
    random: streamOf(keyOf(seed, model.bin, 'world')),
    quantity: model.stock.initial,
    massMg: 0,
    recent: [],
    lately: [],
    nextPickAt: Infinity,
    ordered: false,
  };
  bin.massMg = newGoods(bin, model.stock.initial).massMg;
  bin.nextPickAt = followingPick(bin, from);
  return bin;
}

/** Picks are a Poisson process whose rate follows the working hours. */
export function followingPick({ model, random }: BinState, at: number): number {
  const { outflow, timeZone } = model;
  if (outflow.kind !== 'picks') return Infinity;
  const picksPerDay = outflow.perDay / ((outflow.pickMin + outflow.pickMax) / 2);
  const days = random.exponential() / picksPerDay;
  // What is used that rarely is not used; looking for the day would take for ever.
  if (days > NEVER_DAYS) return Infinity;
  return afterWork({ rhythm: outflow.rhythm, timeZone }, at, days);
}

/** The first instant from `at` on at which people of its place work, and get to it. */
export function whenWorking({ model, random }: BinState, at: number): number {
  const earliest = Math.round(at);
  const working = nextWorking({ rhythm: model.outflow.rhythm, timeZone: model.timeZone }, earliest);
  if (working === earliest) return working;
  return working + Math.floor(random.uniform() * SHIFT_START_MS);
}

/** Puts goods in, or takes them out where they are negative. @returns what the truth tells of it */
export function change(
  bin: BinState,
  at: number,
  goods: Goods,
  kind: WorldEvent['kind'] = goods.quantity < 0 ? 'consumption' : 'refill',
): WorldEvent {
  const event: WorldEvent = {
    at,
    bin: bin.model.bin,
    product: bin.model.product,
    kind,
    quantity: goods.quantity,
    massMg: goods.massMg,
  };
  bin.quantity += goods.quantity;
  bin.massMg += goods.massMg;
  bin.recent = [...bin.recent.filter((old) => old.at > at - RECENT_MS), event];
  bin.lately = [...bin.lately.filter((old) => old.at > at - LATELY_MS), event];
  return event;
}
