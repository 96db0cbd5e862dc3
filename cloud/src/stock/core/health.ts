import type { Quality } from '#shared/reading.ts';
import { MINUTE_MS } from '#shared/units.ts';

/**
 * `ok`: a fresh, good reading; `late`: none for longer than it should take; `offline`: its agent
 * is; `faulty`: the scale reports something else than good; `silent`: never heard of.
 */
export type Health = 'ok' | 'late' | 'offline' | 'faulty' | 'silent';

/**
 * An agent reports every bin at least each 600 s (its heartbeat's default); half as much again
 * leaves room for a settling scale and a reconnect.
 */
export const LATE_MS = 15 * MINUTE_MS;

/** @param newest the bin's newest reading, whatever its quality, and `null` where there is none */
export function healthOf(
  newest: { readonly ageMs: number; readonly quality: Quality } | null,
  agentOffline: boolean,
): Health {
  if (newest === null) return 'silent';
  if (agentOffline) return 'offline';
  if (newest.ageMs > LATE_MS) return 'late';
  return newest.quality === 'good' ? 'ok' : 'faulty';
}
