import type { Writable } from 'node:stream';
import type { Clock } from '#shared/clock.ts';
import type { AgentId, BinId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import type { Scope } from '../database/database.ts';
import { ChangeLog, type Changed } from './change-log.ts';
import type { AgentView, EVENT_KINDS, StockView } from './contract.ts';

type EventKind = (typeof EVENT_KINDS)[number];

/** What changed in this process; without history. */
export interface ChangeSource {
  /** @returns how to stop listening */
  subscribe(
    listener: (change: {
      readonly bins: readonly BinId[];
      readonly agents: readonly AgentId[];
    }) => void,
  ): () => void;
}

/** What is to be shown of things as they are now; those out of `scope` are left out. */
export interface Views {
  stock(scope: Scope, bins: readonly BinId[] | 'all'): Promise<readonly StockView[]>;
  agents(agents: readonly AgentId[] | 'all'): Promise<readonly AgentView[]>;
}

export interface FeedOptions {
  readonly changes: ChangeSource;
  readonly views: Views;
  readonly clock: Clock;
  readonly log: Log;
  /** Distinguishes the ids of this run's events from those of another's. */
  readonly run: string;
  /** Changes within so long are told together. */
  readonly gatherMs: number;
  readonly heartbeatMs: number;
}

export interface Listener {
  readonly scope: Scope;
  /** Customers are told of their stock, and nothing of agents. */
  readonly withAgents: boolean;
  readonly stream: Writable;
  /** The Last-Event-ID it comes with, if any. */
  readonly lastEventId: string | undefined;
  /** Asked at every heartbeat, so that a revoked key ends its stream. */
  readonly mayStay: () => Promise<boolean>;
}

interface Client extends Listener {
  /** Everything up to this change was told; below 0 where nothing is known of what it has. */
  told: number;
  /** Since when it takes no more, by the monotonic clock. */
  fullSinceMs: number | undefined;
}

/** Somebody who takes nothing for so long is gone, or might as well be. */
const PATIENCE_MS = 30_000;
/** After a fault, the database may need a moment. */
const RETRY_MS = 5_000;
const MOST_CLIENTS = 500;

/** The stream of events (SSE): what changed is read once per scope and told to all its listeners. */
export class EventFeed {
  readonly #options: FeedOptions;
  readonly #log = new ChangeLog<EventKind>();
  readonly #clients = new Set<Client>();
  readonly #unsubscribe: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  #gathering: NodeJS.Timeout | undefined;
  #telling: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#unsubscribe = options.changes.subscribe(({ bins, agents }) => {
      for (const bin of bins) this.#log.note('stock', bin);
      for (const agent of agents) this.#log.note('agent', agent);
      this.#tellSoon(options.gatherMs);
    });
    this.#heartbeat = setInterval(() => void this.#beat(), options.heartbeatMs);
  }

  get hasRoom(): boolean {
    return !this.#closed && this.#clients.size < MOST_CLIENTS;
  }

  add(listener: Listener): void {
    const { stream, lastEventId } = listener;
    const told = lastEventId === undefined ? this.#log.newest : this.#orderOf(lastEventId);
    const client: Client = { ...listener, told, fullSinceMs: undefined };
    this.#clients.add(client);
    stream.on('close', () => this.#clients.delete(client));
    // A broken connection is an ordinary end of a stream.
    stream.on('error', () => this.#clients.delete(client));
    stream.on('drain', () => {
      client.fullSinceMs = undefined;
      this.#tellSoon(0);
    });
    this.#write(client, ': welcome\n\n');
    if (told < this.#log.newest) this.#tellSoon(0);
  }

  /** Ends all streams. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    clearInterval(this.#heartbeat);
    clearTimeout(this.#gathering);
    await this.#telling;
    for (const { stream } of this.#clients) stream.end();
    this.#clients.clear();
  }

  /** An id of another run says nothing about this one's changes: such a client is told all. */
  #orderOf(eventId: string): number {
    const [run, order = ''] = eventId.split('.', 2);
    const known = run === this.#options.run && /^\d{1,15}$/.test(order);
    return known ? Math.min(Number(order), this.#log.newest) : -1;
  }

  #tellSoon(afterMs: number): void {
    if (this.#closed || this.#clients.size === 0) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#telling = this.#telling.then(() => this.#tell());
    }, afterMs);
  }

  async #tell(): Promise<void> {
    const newest = this.#log.newest;
    const waiting = [...this.#clients].filter(
      ({ fullSinceMs, told }) => fullSinceMs === undefined && told < newest,
    );
    const audiences = Map.groupBy(waiting, ({ scope, withAgents }) => `${scope}/${withAgents}`);
    try {
      for (const audience of audiences.values()) await this.#tellAudience(audience, newest);
    } catch (error) {
      this.#options.log.error({ err: error }, 'events could not be read');
      this.#tellSoon(RETRY_MS);
    }
  }

  /** Listeners who may see the same. */
  async #tellAudience(audience: readonly Client[], newest: number): Promise<void> {
    const [first] = audience;
    if (first === undefined) return;
    const { scope, withAgents } = first;
    const since = Math.min(...audience.map(({ told }) => told));
    const changed = this.#log.after(since);
    const { views, run } = this.#options;
    const stocks = await views.stock(scope, since < 0 ? 'all' : ids<BinId>(changed, 'stock'));
    const agents = withAgents
      ? await views.agents(since < 0 ? 'all' : ids<AgentId>(changed, 'agent'))
      : [];
    // As of before the views were read: what changed meanwhile will be told again.
    const orders = new Map(changed.map(({ kind, id, order }) => [`${kind}/${id}`, order]));
    const events = [
      ...stocks.map((view) => ({ kind: 'stock', id: view.binId, view })),
      ...agents.map((view) => ({ kind: 'agent', id: view.id, view })),
    ]
      .map(({ kind, id, view }) => ({ kind, view, order: orders.get(`${kind}/${id}`) ?? 0 }))
      .toSorted((a, b) => a.order - b.order)
      .map(({ kind, view, order }) => ({ order, text: eventText(run, order, kind, view) }));
    for (const client of audience) {
      const news = events.filter(({ order }) => order > client.told);
      client.told = newest;
      if (news.length > 0) this.#write(client, news.map(({ text }) => text).join(''));
    }
  }

  /** One piece at most is ever on its way: who is slow is told the newest state when it catches up. */
  #write(client: Client, text: string): void {
    if (!client.stream.writable || client.stream.write(text)) return;
    client.fullSinceMs ??= this.#options.clock.monotonicMs();
  }

  async #beat(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    for (const client of this.#clients) {
      const { stream, fullSinceMs } = client;
      if (fullSinceMs === undefined) this.#write(client, ': still here\n\n');
      else if (nowMs - fullSinceMs > PATIENCE_MS) stream.destroy();
    }
    try {
      for (const client of this.#clients) if (!(await client.mayStay())) client.stream.end();
    } catch (error) {
      this.#options.log.error({ err: error }, 'keys of open streams could not be checked');
    }
  }
}

function ids<Id extends string>(changed: readonly Changed<EventKind>[], kind: EventKind): Id[] {
  return changed.filter((change) => change.kind === kind).map(({ id }) => id as Id);
}

/** Events come in the order of changes: whichever came last, its id says what came before it. */
function eventText(run: string, order: number, kind: string, view: object): string {
  const id = order > 0 ? `id: ${run}.${order}\n` : '';
  return `${id}event: ${kind}\ndata: ${JSON.stringify(view)}\n\n`;
}
