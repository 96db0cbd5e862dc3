import type { AgentView, StockView } from '../../../src/http/contract.ts';
import type { Api } from './client.ts';
import { ApiProblem } from './problem.ts';
import { serverSentReader, type ServerSent } from './server-sent.ts';

export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'refused';

export type LiveEvent =
  | { readonly kind: 'stock'; readonly stock: StockView }
  | { readonly kind: 'agent'; readonly agent: AgentView };

export interface EventListener {
  /** Everything one piece of the stream brought, so that the caches change once. */
  events(events: readonly LiveEvent[]): void;
  state(state: LiveState): void;
  /** The stream is open again after it was not: what was missed is to be read anew. */
  resumed(): void;
}

/** Backoff: doubled from the first to the most, times 0.5 to 1, so that not all come at once. */
const FIRST_PAUSE_MS = 1_000;
const MOST_PAUSE_MS = 30_000;
/** The server sends at least a comment every 15 s; three missed are a dead connection. */
const SILENCE_MS = 45_000;

/** @param failures tries in a row that failed, ≥ 1; @param random in [0, 1) */
export function pauseMs(failures: number, random: number): number {
  const most = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), MOST_PAUSE_MS);
  return most * (0.5 + random / 2);
}

/** Follows the events until `signal` aborts, or the key is refused. */
export async function followEvents(
  api: Api,
  listener: EventListener,
  signal: AbortSignal,
): Promise<void> {
  let lastEventId: string | null = null;
  let failures = 0;
  let opened = false;
  listener.state('connecting');
  while (!signal.aborted) {
    const attempt = new AbortController();
    const stop = AbortSignal.any([signal, attempt.signal]);
    try {
      const response = await api.events(lastEventId, stop);
      if (opened) listener.resumed();
      opened = true;
      failures = 0;
      listener.state('live');
      for await (const messages of messagesOf(response, attempt)) {
        lastEventId = messages.at(-1)?.id ?? lastEventId;
        const events = messages.flatMap(eventsOf);
        if (events.length > 0) listener.events(events);
      }
    } catch (error) {
      // Whatever else it is, the people see that it is not live, and it is tried again.
      if (isRefusal(error)) return listener.state('refused');
    }
    if (isAborted(signal)) return;
    failures += 1;
    listener.state('reconnecting');
    await pause(pauseMs(failures, Math.random()), signal);
  }
}

/** Read anew after every await: the compiler takes the loop's condition for a constant. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted;

const isRefusal = (error: unknown): boolean =>
  error instanceof ApiProblem && (error.kind === 'key' || error.kind === 'forbidden');

async function* messagesOf(
  response: Response,
  attempt: AbortController,
): AsyncGenerator<readonly ServerSent[]> {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const read = serverSentReader();
  let silence = setTimeout(() => attempt.abort(), SILENCE_MS);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(() => attempt.abort(), SILENCE_MS);
      const messages = read(value);
      if (messages.length > 0) yield messages;
    }
  } finally {
    clearTimeout(silence);
    attempt.abort();
  }
}

/** Kinds that this terminal does not know yet are passed over. */
function eventsOf({ event, data }: ServerSent): LiveEvent[] {
  if (event === 'stock') return [{ kind: 'stock', stock: JSON.parse(data) as StockView }];
  if (event === 'agent') return [{ kind: 'agent', agent: JSON.parse(data) as AgentView }];
  return [];
}

/** Waits, or less where the network comes back or the terminal is left. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener('online', done);
    signal.addEventListener('abort', done);
  });
}
