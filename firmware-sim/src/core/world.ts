import type { BinId, ProductId } from '#shared/ids.ts';
import { HOUR_MS } from '#shared/units.ts';
import {
  change,
  followingPick,
  startBin,
  whenWorking,
  type BinContent,
  type BinState,
} from './bin-state.ts';
import { negated, newGoods, takenGoods, type Goods } from './goods.ts';
import type { BinModel, Deed, WorldEvent } from './model.ts';
import { occurrencesOf, type Era, type Occurrences } from './occurrence.ts';
import { keyOf } from './random.ts';

/**
 * Everything that happens to the bins: a pure function of models, seed and start, computed forward
 * as far as it is asked for.
 */
export interface World {
  /** The instant up to which everything has happened. */
  readonly now: number;
  /** Lets everything happen up to and including `to`; earlier than `now` is no change. */
  advance(to: number): readonly WorldEvent[];
  content(bin: BinId): BinContent;
  /** Somebody does something now. @throws RangeError where there is no such bin */
  act(bin: BinId, deed: Deed): readonly WorldEvent[];
}

/** What was done by hand in an earlier run, at the instant it was done. */
export interface HandDeed {
  readonly at: number;
  readonly bin: BinId;
  readonly deed: Deed;
}

interface Shipment {
  readonly kind: 'ship';
  readonly at: number;
  readonly from: BinState;
  readonly to: BinState;
}

interface Delivery {
  readonly kind: 'deliver';
  readonly at: number;
  readonly to: BinState;
  /** `null` where it comes from outside: then the bin is filled up. */
  readonly goods: Goods | null;
}

interface Befalling {
  readonly kind: 'befall';
  readonly at: number;
  readonly to: BinState;
  readonly deed: Deed;
  /** `null`: only this once. */
  readonly occurrences: Occurrences | null;
}

/** The bins and what is on its way between them. */
interface Course {
  readonly bins: readonly BinState[];
  readonly stores: ReadonlyMap<ProductId, BinState>;
  tasks: (Shipment | Delivery | Befalling)[];
  /** When the next thing happens. */
  nextAt: number;
}

/** A refill from a store leaves it after this part of the bin's refill delay. */
const SHIPPED_AFTER = 1 / 3;
/** When the store is empty, it is asked again after this time. */
const STORE_RETRY_MS = 4 * HOUR_MS;
export function createWorld(options: {
  readonly models: readonly BinModel[];
  readonly seed: number;
  readonly era: Era;
  readonly byHand?: readonly HandDeed[];
}): World {
  const { models, seed, era, byHand = [] } = options;
  const { from } = era;
  const bins = models.map((model) => startBin(model, seed, from));
  const byId = new Map(bins.map((bin) => [bin.model.bin, bin]));
  const stores = bins.filter((bin) => bin.model.outflow.kind === 'shipments');
  const course: Course = {
    bins,
    stores: new Map(stores.map((bin) => [bin.model.product, bin])),
    tasks: [],
    nextAt: from,
  };
  for (const bin of bins) {
    orderIfLow(course, bin, from);
    for (const [i, { deed, occurrence }] of (bin.model.events ?? []).entries()) {
      const key = keyOf(seed, bin.model.bin, 'event', String(i));
      const occurrences = occurrencesOf({ occurrence, key, era });
      schedule(course, { kind: 'befall', at: from, to: bin, deed, occurrences });
    }
  }
  for (const { at, bin, deed } of byHand) {
    const to = byId.get(bin);
    // A bin that was taken out of the scenario since has nothing to be put into.
    if (to) course.tasks.push({ kind: 'befall', at, to, deed, occurrences: null });
  }
  course.nextAt = nextAt(course);
  let now = from;
  const binOf = (id: BinId): BinState => {
    const bin = byId.get(id);
    if (!bin) throw new RangeError(`no bin ${id} in this world`);
    return bin;
  };
  return {
    get now() {
      return now;
    },
    advance(to) {
      const events: WorldEvent[] = [];
      while (course.nextAt <= to) step(course, events);
      now = Math.max(now, to);
      return events;
    },
    content: binOf,
    act(id, deed) {
      const events: WorldEvent[] = [];
      perform(course, { at: now, to: binOf(id), deed }, events);
      course.nextAt = nextAt(course);
      return events;
    },
  };
}

/** Lets the next thing happen. */
function step(course: Course, events: WorldEvent[]): void {
  const at = course.nextAt;
  const bin = course.bins.find((candidate) => candidate.nextPickAt === at);
  if (bin) {
    pick(course, bin, events);
  } else {
    const due = course.tasks.find((task) => task.at === at);
    course.tasks = course.tasks.filter((task) => task !== due);
    if (due?.kind === 'ship') ship(course, due, events);
    if (due?.kind === 'deliver') deliver(course, due, events);
    if (due?.kind === 'befall') {
      perform(course, due, events);
      schedule(course, due);
    }
  }
  course.nextAt = nextAt(course);
}

function nextAt({ bins, tasks }: Course): number {
  let earliest = Infinity;
  for (const { nextPickAt } of bins) if (nextPickAt < earliest) earliest = nextPickAt;
  for (const { at } of tasks) if (at < earliest) earliest = at;
  return earliest;
}

function pick(course: Course, bin: BinState, events: WorldEvent[]): void {
  const at = bin.nextPickAt;
  const { outflow } = bin.model;
  if (outflow.kind !== 'picks') return;
  const wanted = bin.random.integer(outflow.pickMin, outflow.pickMax);
  const goods = takenGoods(bin, Math.min(wanted, bin.quantity));
  if (goods.quantity > 0) events.push(change(bin, at, negated(goods)));
  orderIfLow(course, bin, at);
  bin.nextPickAt = followingPick(bin, at);
}

function orderIfLow(course: Course, bin: BinState, at: number): void {
  const { stock, product } = bin.model;
  if (bin.ordered || bin.quantity > stock.refillAt) return;
  bin.ordered = true;
  const delayMs = stock.refillDelayH * HOUR_MS;
  const store = course.stores.get(product);
  if (store !== undefined && store !== bin) {
    const shipAt = whenWorking(store, at + delayMs * SHIPPED_AFTER);
    course.tasks.push({ kind: 'ship', at: shipAt, from: store, to: bin });
  } else {
    const goods = null;
    course.tasks.push({ kind: 'deliver', at: whenWorking(bin, at + delayMs), to: bin, goods });
  }
}

function ship(course: Course, task: Shipment, events: WorldEvent[]): void {
  const { at, from, to } = task;
  const { refillTo, refillDelayH } = to.model.stock;
  const goods = takenGoods(from, Math.min(Math.max(0, refillTo - to.quantity), from.quantity));
  if (goods.quantity === 0) {
    course.tasks.push({ ...task, at: whenWorking(from, at + STORE_RETRY_MS) });
    return;
  }
  events.push(change(from, at, negated(goods)));
  orderIfLow(course, from, at);
  const arrivesAt = whenWorking(to, at + refillDelayH * HOUR_MS * (1 - SHIPPED_AFTER));
  course.tasks.push({ kind: 'deliver', at: arrivesAt, to, goods });
}

function deliver(course: Course, { at, to, goods }: Delivery, events: WorldEvent[]): void {
  const missing = Math.max(0, to.model.stock.refillTo - to.quantity);
  const arrived = goods ?? newGoods(to, missing);
  if (arrived.quantity > 0) events.push(change(to, at, arrived));
  to.ordered = false;
  orderIfLow(course, to, at);
}

/** The next time, after the last one. */
function schedule(course: Course, befalling: Befalling): void {
  const next = befalling.occurrences?.next(befalling.at);
  if (next) course.tasks.push({ ...befalling, at: next.from });
}

function perform(
  course: Course,
  { at, to: bin, deed }: Pick<Befalling, 'at' | 'to' | 'deed'>,
  events: WorldEvent[],
): void {
  if (deed.kind === 'put') {
    if (deed.quantity > 0) events.push(change(bin, at, newGoods(bin, deed.quantity), 'refill'));
    return;
  }
  const wanted = deed.kind === 'swap' ? bin.quantity : Math.min(deed.quantity, bin.quantity);
  const kind = deed.kind === 'take' ? 'consumption' : deed.kind;
  if (wanted > 0) events.push(change(bin, at, negated(takenGoods(bin, wanted)), kind));
  if (deed.kind === 'swap') {
    bin.model = { ...bin.model, product: deed.to, piece: deed.piece };
    if (deed.quantity > 0) events.push(change(bin, at, newGoods(bin, deed.quantity), 'swap'));
  }
  orderIfLow(course, bin, at);
}
