import type { BinId, ProductId } from '#shared/ids.ts';
import { HOUR_MS, MINUTE_MS } from '#shared/units.ts';
import { negated, newGoods, takenGoods, type Goods } from './goods.ts';
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
}

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
}

interface BinState {
  readonly model: BinModel;
  readonly random: Stream;
  quantity: number;
  massMg: number;
  recent: WorldEvent[];
  /** `Infinity` for a store: it moves by shipments alone. */
  nextPickAt: number;
  /** A refill is on its way. */
  ordered: boolean;
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

/** The bins and what is on its way between them. */
interface Course {
  readonly bins: readonly BinState[];
  readonly stores: ReadonlyMap<ProductId, BinState>;
  tasks: (Shipment | Delivery)[];
  /** When the next thing happens. */
  nextAt: number;
}

/** A refill from a store leaves it after this part of the bin's refill delay. */
const SHIPPED_AFTER = 1 / 3;
/** When the store is empty, it is asked again after this time. */
const STORE_RETRY_MS = 4 * HOUR_MS;
/** Refills that had to wait for the shift come within this time of its start. */
const SHIFT_START_MS = 90 * MINUTE_MS;
/** How long a change may still be felt by a scale; see load-cell.ts. */
const RECENT_MS = 2 * MINUTE_MS;

export function createWorld(options: {
  readonly models: readonly BinModel[];
  readonly seed: number;
  /** ms since 1970 UTC */
  readonly from: number;
}): World {
  const { models, seed, from } = options;
  const bins = models.map((model) => startBin(model, seed, from));
  const byId = new Map(bins.map((bin) => [bin.model.bin, bin]));
  const stores = bins.filter((bin) => bin.model.outflow.kind === 'shipments');
  const course: Course = {
    bins,
    stores: new Map(stores.map((bin) => [bin.model.product, bin])),
    tasks: [],
    nextAt: from,
  };
  for (const bin of bins) orderIfLow(course, bin, from);
  course.nextAt = nextAt(course);
  let now = from;
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
    content(id) {
      const bin = byId.get(id);
      if (!bin) throw new RangeError(`no bin ${id} in this world`);
      return bin;
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
  if (outflow.kind === 'shipments') return;
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
  const goods = takenGoods(from, Math.min(refillTo - to.quantity, from.quantity));
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
  const arrived = goods ?? newGoods(to, to.model.stock.refillTo - to.quantity);
  events.push(change(to, at, arrived));
  to.ordered = false;
  orderIfLow(course, to, at);
}

function startBin(model: BinModel, seed: number, from: number): BinState {
  const bin: BinState = {
    model,
    random: streamOf(keyOf(seed, model.bin, 'world')),
    quantity: model.stock.initial,
    massMg: 0,
    recent: [],
    nextPickAt: Infinity,
    ordered: false,
  };
  bin.massMg = newGoods(bin, model.stock.initial).massMg;
  bin.nextPickAt = followingPick(bin, from);
  return bin;
}

/** Picks are a Poisson process whose rate follows the working hours. */
function followingPick({ model, random }: BinState, at: number): number {
  const { outflow, timeZone } = model;
  if (outflow.kind === 'shipments') return Infinity;
  const picksPerDay = outflow.perDay / ((outflow.pickMin + outflow.pickMax) / 2);
  return afterWork({ rhythm: outflow.rhythm, timeZone }, at, random.exponential() / picksPerDay);
}

function whenWorking({ model, random }: BinState, at: number): number {
  const earliest = Math.round(at);
  const working = nextWorking({ rhythm: model.outflow.rhythm, timeZone: model.timeZone }, earliest);
  if (working === earliest) return working;
  return working + Math.floor(random.uniform() * SHIFT_START_MS);
}

function change(bin: BinState, at: number, goods: Goods): WorldEvent {
  const event: WorldEvent = {
    at,
    bin: bin.model.bin,
    product: bin.model.product,
    kind: goods.quantity < 0 ? 'consumption' : 'refill',
    quantity: goods.quantity,
    massMg: goods.massMg,
  };
  bin.quantity += goods.quantity;
  bin.massMg += goods.massMg;
  bin.recent = [...bin.recent.filter((old) => old.at > at - RECENT_MS), event];
  return event;
}
