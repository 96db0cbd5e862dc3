import { QueryCache, QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react';
import type { Me } from '../../../src/http/contract.ts';
import { apiOf } from '../api/client.ts';
import { LiveEvents } from '../api/live-events.tsx';
import { ApiProblem, mayPass } from '../api/problem.ts';
import { ApiContext } from '../api/resources.ts';
import { homeOf, useTerminalKind } from '../frame/terminal-kind.ts';
import { LoadingRows } from '../notices/loading-rows.tsx';
import { ProblemNotice } from '../notices/problem-notice.tsx';
import { setServerTime } from '../time/clock.ts';
import { SignIn } from './sign-in.tsx';
import { storeKey, takeKeyFromAddress, useStoredKey } from './stored-key.ts';

const MeContext = createContext<Me | null>(null);

export function useMe(): Me {
  const me = use(MeContext);
  if (me === null) throw new Error('used outside of a session');
  return me;
}

/** Shows its children to who holds a valid key, and asks everyone else for one. */
export function Session({ children }: { readonly children: ReactNode }) {
  const key = useStoredKey();
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    window.addEventListener('hashchange', takeKeyFromAddress);
    return () => window.removeEventListener('hashchange', takeKeyFromAddress);
  }, []);
  if (key === null) return <SignIn refused={refused} onSubmit={() => setRefused(false)} />;
  const refuse = () => {
    setRefused(true);
    storeKey(null);
  };
  return (
    <Admitted key={key} apiKey={key} onRefused={refuse}>
      {children}
    </Admitted>
  );
}

const MOST_RETRIES = 2;
/** Also how soon a revoked key is noticed where nothing else is asked. */
const ME_AGAIN_MS = 5 * 60_000;

function queryClientOf(onRefused: () => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof ApiProblem && error.kind === 'key') onRefused();
      },
    }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => mayPass(error) && failures < MOST_RETRIES,
        staleTime: 10_000,
        // A browser that believes itself offline may still reach a cloud in its own network.
        networkMode: 'always',
      },
    },
  });
}

function Admitted({
  apiKey,
  onRefused,
  children,
}: {
  readonly apiKey: string;
  readonly onRefused: () => void;
  readonly children: ReactNode;
}) {
  const api = useMemo(() => apiOf(apiKey), [apiKey]);
  const [queryClient] = useState(() => queryClientOf(onRefused));
  return (
    <QueryClientProvider client={queryClient}>
      <ApiContext value={api}>
        <Introduced>
          <LiveEvents onRefused={onRefused}>{children}</LiveEvents>
        </Introduced>
      </ApiContext>
    </QueryClientProvider>
  );
}

/** Learns who holds the key, and sends them to the terminal that is theirs. */
function Introduced({ children }: { readonly children: ReactNode }) {
  const kind = useTerminalKind();
  const api = use(ApiContext);
  const me = useQuery({
    queryKey: ['me'],
    queryFn: async ({ signal }) => {
      const told = await api?.me(signal);
      if (told === undefined) throw new Error('used outside of a session');
      setServerTime(told.serverTime);
      return told;
    },
    refetchInterval: ME_AGAIN_MS,
  });
  const home = me.data === undefined ? kind : homeOf(me.data.role);
  useEffect(() => {
    if (home !== kind) window.location.replace(`/${home}/`);
  }, [home, kind]);

  if (me.data !== undefined && home === kind) {
    return <MeContext value={me.data}>{children}</MeContext>;
  }
  return (
    <main style={{ padding: 'var(--mantine-spacing-xl)' }}>
      {me.error !== null && <ProblemNotice error={me.error} onRetry={() => void me.refetch()} />}
      {me.error === null && <LoadingRows />}
    </main>
  );
}
