import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { createContext, use, useEffect, useRef, useState, type ReactNode } from 'react';
import type { AgentView, Configuration, StockView } from '../../../src/http/contract.ts';
import type { Listing } from './client.ts';
import { followEvents, type LiveEvent, type LiveState } from './event-stream.ts';
import { mergeItems } from './merge.ts';
import { ApiContext, CACHE } from './resources.ts';

const LiveContext = createContext<LiveState>('connecting');

export const useLiveState = (): LiveState => use(LiveContext);

/** Sums are asked for anew at most this often, however much is happening. */
const SUMS_EVERY_MS = 10_000;

/** Follows what happens and keeps the caches up to date while anyone looks. */
export function LiveEvents({
  onRefused,
  children,
}: {
  readonly onRefused: () => void;
  readonly children: ReactNode;
}) {
  const api = use(ApiContext);
  const queryClient = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');
  const refused = useRef(onRefused);
  useEffect(() => {
    if (api === null) return undefined;
    const stop = new AbortController();
    const sums = sumsRefresher(queryClient);
    void followEvents(
      api,
      {
        state: (next) => {
          setState(next);
          if (next === 'refused') refused.current();
        },
        resumed: () => void queryClient.invalidateQueries(),
        events: (events) => {
          applyEvents(queryClient, events);
          if (events.some(({ kind }) => kind === 'stock')) sums.ask();
        },
      },
      stop.signal,
    );
    return () => {
      stop.abort();
      sums.stop();
    };
  }, [api, queryClient]);
  return <LiveContext value={state}>{children}</LiveContext>;
}

function applyEvents(queryClient: QueryClient, events: readonly LiveEvent[]): void {
  const stock = events.flatMap((event) => (event.kind === 'stock' ? [event.stock] : []));
  const agents = events.flatMap((event) => (event.kind === 'agent' ? [event.agent] : []));
  if (stock.length > 0) {
    queryClient.setQueryData<Listing<StockView>>(CACHE.stock, (old) =>
      old === undefined
        ? old
        : mergeItems(
            old,
            stock,
            ({ binId }) => binId,
            (before, after) => (after.readAt ?? 0) >= (before.readAt ?? 0),
          ),
    );
  }
  if (agents.length > 0) {
    queryClient.setQueryData<Listing<AgentView>>(CACHE.agents, (old) =>
      old === undefined
        ? old
        : mergeItems(
            old,
            agents,
            ({ id }) => id,
            (before, after) => after.receivedBatches >= before.receivedBatches,
          ),
    );
    for (const agent of agents) askForConfiguration(queryClient, agent);
  }
}

/** Agents are told of with every batch: only what is news of their configuration is asked for. */
function askForConfiguration(queryClient: QueryClient, { id, configuration }: AgentView): void {
  const queryKey = [...CACHE.configuration, id];
  const known = queryClient.getQueryData<Configuration>([...queryKey, 'now']);
  if (known === undefined) return;
  const isKnown =
    (known.desired?.version ?? 0) === configuration.desired &&
    (known.reported?.receivedAt ?? null) === configuration.reportedAt;
  if (!isKnown) void queryClient.invalidateQueries({ queryKey });
}

/** What is summed up from readings, asked for anew a while after something changed. */
function sumsRefresher(queryClient: QueryClient): { ask: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const refresh = () => {
    timer = undefined;
    for (const queryKey of [CACHE.consumption, CACHE.readings, CACHE.movements]) {
      void queryClient.invalidateQueries({ queryKey }, { cancelRefetch: false });
    }
  };
  return {
    ask: () => {
      timer ??= setTimeout(refresh, SUMS_EVERY_MS);
    },
    stop: () => clearTimeout(timer),
  };
}
