import type { BinId, ProductId } from '#shared/ids.ts';
import { HOUR_MS, MINUTE_MS } from '#shared/units.ts';
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

type Task =
  | { readonly kind: 'ship'; at: number; readonly from: BinState; readonly to: BinState }
  | {
      readonly kind: 'deliver';
      readonly at: number;
      readonly to: BinState;
      /** `null` where it comes from outside: then the bin is filled up. */
      readonly goods: { readonly quantity: number; readonly massMg: number } | null;
    };

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
  const stores = new Map<ProductId, BinState>(
    bins.flatMap((bin) =>
      bin.model.outflow.kind === 'shipments' ? [[bin.model.product, bin]] : [],
    ),
  );
  let now = from;
  let tasks: Task[] = [];
  let nextAt = Math.min(...bins.map((bin) => bin.nextPickAt));

  function orderIfLow(bin: BinState, at: number): void {
    const { stock, product } = bin.model;
    if (bin.ordered || bin.quantity > stock.refillAt) return;
    bin.ordered = true;
    const delayMs = stock.refillDelayH * HOUR_MS;
    const store = stores.get(product);
    if (store !== undefined && store !== bin) {
      const shipAt = whenWorking(store, at + delayMs * SHIPPED_AFTER);
      tasks.push({ kind: 'ship', at: shipAt, from: store, to: bin });
    } else {
      tasks.push({ kind: 'deliver', at: whenWorking(bin, at + delayMs), to: bin, goods: null });
    }
  }

  function run(task: Task, events: WorldEvent[]): void {
    const { at, to } = task;
    if (task.kind === 'deliver') {
      const wanted = Math.max(0, to.model.stock.refillTo - to.quantity);
      const goods = task.goods ?? fresh(to, wanted);
      if (goods.quantity > 0) events.push(change(to, at, goods));
      to.ordered = false;
      orderIfLow(to, at);
      return;
    }
    const wanted = to.model.stock.refillTo - to.quantity;
    const goods = taken(task.from, Math.min(wanted, task.from.quantity));
    if (goods.quantity === 0) {
      tasks.push({ ...task, at: whenWorking(task.from, at + STORE_RETRY_MS) });
      return;
    }
    events.push(change(task.from, at, negated(goods)));
    orderIfLow(task.from, at);
    const transportMs = to.model.stock.refillDelayH * HOUR_MS * (1 - SHIPPED_AFTER);
    tasks.push({ kind: 'deliver', at: whenWorking(to, at + transportMs), to, goods });
  }

  function pick(bin: BinState, events: WorldEvent[]): void {
    const at = bin.nextPickAt;
    const { outflow } = bin.model;
    if (outflow.kind === 'shipments') return;
    const wanted = bin.random.integer(outflow.pickMin, outflow.pickMax);
    const goods = taken(bin, Math.min(wanted, bin.quantity));
    if (goods.quantity > 0) events.push(change(bin, at, negated(goods)));
    orderIfLow(bin, at);
    bin.nextPickAt = followingPick(bin, at);
  }

  function step(events: WorldEvent[]): void {
    const bin = bins.find((candidate) => candidate.nextPickAt === nextAt);
    if (bin) {
      pick(bin, events);
    } else {
      const due = tasks.find((task) => task.at === nextAt);
      tasks = tasks.filter((task) => task !== due);
      if (due) run(due, events);
    }
    nextAt = Infinity;
    for (const { nextPickAt } of bins) if (nextPickAt < nextAt) nextAt = nextPickAt;
    for (const { at } of tasks) if (at < nextAt) nextAt = at;
  }

  for (const bin of bins) orderIfLow(bin, from);
  for (const { at } of tasks) nextAt = Math.min(nextAt, at);

  return {
    get now() {
      return now;
    },
    advance(to) {
      const events: WorldEvent[] = [];
      while (nextAt <= to) step(events);
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
  bin.massMg = fresh(bin, model.stock.initial).massMg;
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

interface Goods {
  readonly quantity: number;
  readonly massMg: number;
}

const negated = (goods: Goods): Goods => ({ quantity: -goods.quantity, massMg: -goods.massMg });

/** New goods from outside: pieces scatter about their nominal mass. */
function fresh({ model, random }: BinState, quantity: number): Goods {
  const { piece } = model;
  if (piece === null) return { quantity, massMg: quantity };
  const scatterMg = piece.scatterMg * Math.sqrt(quantity) * random.normal();
  return { quantity, massMg: Math.max(quantity, Math.round(quantity * piece.massMg + scatterMg)) };
}

/**
 * `quantity` of the bin's pieces, at random: given that N pieces weigh M in total, n of them weigh
 * nM/N with a variance of scatter² n(N−n)/N, so the last pick leaves exactly nothing.
 */
function taken({ model, random, quantity: all, massMg }: BinState, quantity: number): Goods {
  const { piece } = model;
  if (piece === null) return { quantity, massMg: quantity };
  if (quantity === all) return { quantity, massMg };
  const deviation = piece.scatterMg * Math.sqrt((quantity * (all - quantity)) / all);
  const drawn = Math.round((quantity * massMg) / all + deviation * random.normal());
  return { quantity, massMg: Math.min(massMg - (all - quantity), Math.max(quantity, drawn)) };
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
