import { useMemo, useSyncExternalStore } from 'react';
import { formatPlace, parsePlace, type Place, type Query } from './place.ts';

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

export function usePlace(): Place {
  const fragment = useSyncExternalStore(subscribe, () => window.location.hash);
  return useMemo(() => parsePlace(fragment), [fragment]);
}

/** Changes the query of the present place, without a step in the browser's history. */
export function changeQuery(changes: Query): void {
  const { path, query } = parsePlace(window.location.hash);
  window.history.replaceState(null, '', formatPlace(path, { ...query, ...changes }));
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}
