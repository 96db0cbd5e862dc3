import { useSyncExternalStore } from 'react';
import { keyOfFragment } from './fragment-key.ts';

const STORE = 'offtake.key';
const listeners = new Set<() => void>();

/** The key of this tab: it is gone when the tab is. */
export const storedKey = (): string | null => window.sessionStorage.getItem(STORE);

export function storeKey(key: string | null): void {
  if (key === null) window.sessionStorage.removeItem(STORE);
  else window.sessionStorage.setItem(STORE, key);
  for (const listener of listeners) listener();
}

/** Takes a key out of the address bar, also out of a link followed later in the same tab. */
export function takeKeyFromAddress(): void {
  const key = keyOfFragment(window.location.hash);
  if (key === null) return;
  window.history.replaceState(null, '', window.location.pathname);
  storeKey(key);
}

export function useStoredKey(): string | null {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, storedKey);
}
