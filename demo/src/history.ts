import { setTimeout as delay } from 'node:timers/promises';
import { SECOND_MS } from '#shared/units.ts';
import type { Api } from './api.ts';

interface StockRow {
  readonly binId: string;
  readonly readAt: number | null;
}

const POLL_MS = 500;
/** A bin whose newest reading is this fresh has nothing older left in its agent's outbox. */
const FRESH_MS = 330 * SECOND_MS;

/**
 * Waits until the agents' backlogs have arrived: every bin's newest reading is a fresh one.
 * @param from when the history begins, ms since 1970
 * @param show is told the share that has arrived, 0 to 1
 */
export async function historyArrived(
  api: Api,
  from: number,
  show: (share: number) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const bins = await api.list<StockRow>('/stock');
    const now = Date.now();
    const behind = bins.map(({ readAt }) => now - Math.max(readAt ?? 0, from));
    const furthest = Math.max(...behind, 0);
    show(1 - furthest / (now - from));
    if (furthest < FRESH_MS) return;
    await delay(POLL_MS, undefined, { signal });
  }
}
