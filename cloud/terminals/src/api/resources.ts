import {
  keepPreviousData,
  useMutation,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { createContext, use } from 'react';
import { MINUTE_MS } from '#shared/units.ts';
import type { Consumption, ConsumptionQuery } from '../../../src/http/contract.ts';
import type { Period } from '../time/period.ts';
import type { Api } from './client.ts';

/** The API as who is signed in. */
export const ApiContext = createContext<Api | null>(null);

function useApi(): Api {
  const api = use(ApiContext);
  if (api === null) throw new Error('used outside of a session');
  return api;
}

/** First parts of the query keys, for the caches that events change. */
export const CACHE = {
  stock: ['stock'],
  agents: ['agents'],
  consumption: ['consumption'],
  readings: ['readings'],
  movements: ['movements'],
  configuration: ['configuration'],
} as const;

/** Read again now and then even if no event says so: events may be missed. */
const REFRESH_MS = MINUTE_MS;
const MASTER_DATA_MS = 5 * MINUTE_MS;

/** @param enabled a customer need not ask who it is */
export function useCustomers(enabled = true) {
  const api = useApi();
  return useQuery({
    enabled,
    queryKey: ['customers'],
    queryFn: ({ signal }) => api.customers(signal),
    refetchInterval: MASTER_DATA_MS,
  });
}

export function useSites() {
  const api = useApi();
  return useQuery({
    queryKey: ['sites'],
    queryFn: ({ signal }) => api.sites(signal),
    refetchInterval: MASTER_DATA_MS,
  });
}

export function useProducts() {
  const api = useApi();
  return useQuery({
    queryKey: ['products'],
    queryFn: ({ signal }) => api.products(signal),
    refetchInterval: MASTER_DATA_MS,
  });
}

export function useStock() {
  const api = useApi();
  return useQuery({
    queryKey: CACHE.stock,
    queryFn: ({ signal }) => api.stock(signal),
    refetchInterval: REFRESH_MS,
  });
}

export function useAgents() {
  const api = useApi();
  return useQuery({
    queryKey: CACHE.agents,
    queryFn: ({ signal }) => api.agents(signal),
    refetchInterval: REFRESH_MS,
  });
}

export function useConfiguration(agent: string) {
  const api = useApi();
  return useQuery({
    queryKey: [...CACHE.configuration, agent, 'now'],
    queryFn: ({ signal }) => api.configuration(agent, signal),
    refetchInterval: REFRESH_MS,
  });
}

/** Newest first; as many pages as it takes to have `most`. */
export function useConfigurationVersions(agent: string, most: number) {
  const api = useApi();
  return useQuery({
    queryKey: [...CACHE.configuration, agent, 'versions', most],
    queryFn: ({ signal }) => api.configurationVersions(agent, most, signal),
    placeholderData: keepPreviousData,
  });
}

/** Sends a configuration, or an older version anew. */
export function useSendConfiguration(agent: string) {
  const api = useApi();
  const queryClient = useQueryClient();
  return useMutation({
    networkMode: 'always',
    mutationFn: ({ restored, ...change }: ConfigurationSending) =>
      restored === null
        ? api.changeConfiguration(agent, change)
        : api.restoreConfiguration(agent, restored, {
            expectedVersion: change.expectedVersion,
            note: change.note,
          }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: [...CACHE.configuration, agent] }),
  });
}

interface ConfigurationSending {
  readonly config: object;
  /** The older version that it is; null where it is a new one. */
  readonly restored: number | null;
  readonly expectedVersion: number;
  readonly note: string;
}

export function useBin(bin: string) {
  const api = useApi();
  return useQuery({ queryKey: ['bin', bin], queryFn: ({ signal }) => api.bin(bin, signal) });
}

/** What a bin held from when on, oldest first. */
export function useSetups(bin: string) {
  const api = useApi();
  return useQuery({
    queryKey: ['setups', bin],
    queryFn: ({ signal }) => api.setups(bin, signal),
  });
}

export function useReadings(bin: string, period: Period) {
  const api = useApi();
  return useQuery({
    queryKey: [...CACHE.readings, bin, period],
    queryFn: ({ signal }) => api.readings(bin, period, signal),
    placeholderData: keepPreviousData,
  });
}

export function useMovements(bin: string, period: Period) {
  const api = useApi();
  return useQuery({
    queryKey: [...CACHE.movements, bin, period],
    queryFn: ({ signal }) => api.movements(bin, period, signal),
    placeholderData: keepPreviousData,
  });
}

export function useConsumption(query: Partial<ConsumptionQuery>): UseQueryResult<Consumption> {
  const api = useApi();
  return useQuery({
    queryKey: [...CACHE.consumption, query],
    queryFn: ({ signal }) => api.consumption(query, signal),
    refetchInterval: REFRESH_MS,
    // The same figures of a moment before may stand in; those of other groups may not.
    placeholderData: (before: Consumption | undefined, asked) => {
      const other = asked?.queryKey[1] as Partial<ConsumptionQuery> | undefined;
      return other?.by === query.by && other?.step === query.step ? before : undefined;
    },
  });
}
