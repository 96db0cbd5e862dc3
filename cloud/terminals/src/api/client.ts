import type {
  AgentView,
  Bin,
  Configuration,
  ConfigurationVersion,
  Consumption,
  ConsumptionQuery,
  Customer,
  Me,
  MovementView,
  Product,
  ReadingView,
  Setup,
  Site,
  StockView,
} from '../../../src/http/contract.ts';
import { ApiProblem, problemOf } from './problem.ts';

/** The largest page the API gives. */
const PAGE = 1_000;

type Parameters = Readonly<Record<string, string | number | undefined>>;

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** All that was read, and whether there was more than was wanted. */
export interface Listing<Item> {
  readonly items: readonly Item[];
  readonly complete: boolean;
}

interface ConfigurationRestore {
  /** The newest version that the person saw; 0 for none. */
  readonly expectedVersion: number;
  readonly note: string;
}

interface ConfigurationChange extends ConfigurationRestore {
  readonly config: object;
}

export type Api = ReturnType<typeof apiOf>;

/** What the terminals ask of the API under /api/v1, as the holder of `key`. */
export function apiOf(key: string) {
  const authorization = `Bearer ${key}`;

  async function ask(
    path: string,
    { headers, ...request }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> },
  ): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`/api/v1${path}`, {
        ...request,
        headers: { ...headers, authorization },
        cache: 'no-store',
      });
    } catch (error) {
      if (request.signal?.aborted === true) throw error;
      throw new ApiProblem(0, null, error);
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  async function get<T>(path: string, signal: AbortSignal): Promise<T> {
    const response = await ask(path, { signal });
    return (await response.json()) as T;
  }

  async function send<T>(method: 'PUT' | 'POST', path: string, body: object): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const response = await ask(path, { method, headers, body: JSON.stringify(body) });
    return (await response.json()) as T;
  }

  /** Reads page after page, up to `most` items. */
  async function list<Item>(
    path: string,
    signal: AbortSignal,
    parameters: Parameters = {},
    most = Number.POSITIVE_INFINITY,
  ): Promise<Listing<Item>> {
    const items: Item[] = [];
    let cursor: string | undefined;
    do {
      const query = queryOf({ ...parameters, limit: Math.min(PAGE, most), cursor });
      const page: Page<Item> = await get(`${path}${query}`, signal);
      items.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined && items.length < most);
    return { items, complete: cursor === undefined };
  }

  return {
    me: (signal: AbortSignal) => get<Me>('/me', signal),
    customers: (signal: AbortSignal) => list<Customer>('/customers', signal),
    sites: (signal: AbortSignal) => list<Site>('/sites', signal),
    products: (signal: AbortSignal) => list<Product>('/products', signal),
    agents: (signal: AbortSignal) => list<AgentView>('/agents', signal),
    stock: (signal: AbortSignal) => list<StockView>('/stock', signal),
    bin: (bin: string, signal: AbortSignal) => get<Bin>(binPath(bin), signal),
    setups: (bin: string, signal: AbortSignal) => list<Setup>(`${binPath(bin)}/setups`, signal),
    readings: (bin: string, { from, to }: { from: number; to: number }, signal: AbortSignal) =>
      list<ReadingView>(`${binPath(bin)}/readings`, signal, { from, to }, MOST_READINGS),
    movements: (bin: string, { from, to }: { from: number; to: number }, signal: AbortSignal) =>
      list<MovementView>(`${binPath(bin)}/movements`, signal, { from, to }, MOST_MOVEMENTS),
    consumption: (query: Partial<ConsumptionQuery>, signal: AbortSignal) =>
      get<Consumption>(`/consumption${queryOf(query)}`, signal),
    configuration: (agent: string, signal: AbortSignal) =>
      get<Configuration>(configurationPath(agent), signal),
    configurationVersions: (agent: string, most: number, signal: AbortSignal) =>
      list<ConfigurationVersion>(`${configurationPath(agent)}/versions`, signal, {}, most),
    changeConfiguration: (agent: string, change: ConfigurationChange) =>
      send<Configuration>('PUT', configurationPath(agent), change),
    restoreConfiguration: (agent: string, version: number, change: ConfigurationRestore) =>
      send<Configuration>(
        'POST',
        `${configurationPath(agent)}/versions/${version}/restore`,
        change,
      ),
    /** The open stream of events; the caller reads its body. */
    events: (lastEventId: string | null, signal: AbortSignal) =>
      ask('/events', {
        signal,
        headers: {
          accept: 'text/event-stream',
          ...(lastEventId !== null && { 'last-event-id': lastEventId }),
        },
      }),
  };
}

const configurationPath = (agent: string): string => `/agents/${encodeURIComponent(agent)}/config`;

const binPath = (bin: string): string => `/bins/${encodeURIComponent(bin)}`;

/** Two weeks of a reading a minute. */
const MOST_READINGS = 21_000;
const MOST_MOVEMENTS = 5_000;

/** `?name=value&…` of what is given, or nothing. */
export function queryOf(parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}
