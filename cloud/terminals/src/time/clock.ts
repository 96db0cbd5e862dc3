import { useSyncExternalStore } from 'react';
import { SECOND_MS } from '#shared/units.ts';

/**
 * The server's time, ticking once a second while somebody looks. Ages are told by it, so that a
 * device whose clock is wrong does not show fresh figures as stale.
 */
let offsetMs = 0;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  now = Date.now() + offsetMs;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, SECOND_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

export function setServerTime(serverTime: number): void {
  offsetMs = serverTime - Date.now();
  tick();
}

/** The server's time of a moment on this device's clock. */
export const toServerTime = (local: number): number => local + offsetMs;

/** Now, changing every `everyMs`; a coarse one renders less often. */
export function useNow(everyMs = SECOND_MS): number {
  return useSyncExternalStore(subscribe, () => Math.floor(now / everyMs) * everyMs);
}
