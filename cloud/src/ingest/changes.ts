import type { AgentId, BinId } from '#shared/ids.ts';
import type { Live } from '#shared/wire/live.ts';

/** What changed in a commit, or was shown before it. */
export interface Change {
  /** Bins whose stock, movements or newest reading changed. */
  readonly bins: readonly BinId[];
  /** Agents whose status or cursor changed. */
  readonly agents: readonly AgentId[];
}

export type LiveReading = Live['readings'][number];

/** Tells whoever listens in this process what changed; there is no history. */
export interface Changes {
  publish(change: Change): void;
  /** @returns how to stop listening; a listener must not throw */
  subscribe(listener: (change: Change) => void): () => void;
  /** The newest reading an agent showed ahead of its backlog; never part of the ledger. */
  live(bin: BinId): LiveReading | undefined;
  show(reading: LiveReading): void;
}

export function createChanges(): Changes {
  const listeners = new Set<(change: Change) => void>();
  const shown = new Map<string, LiveReading>();
  return {
    publish(change) {
      for (const listener of listeners) listener(change);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    live: (bin) => shown.get(bin),
    show(reading) {
      if ((shown.get(reading.bin)?.at ?? 0) < reading.at) shown.set(reading.bin, reading);
    },
  };
}
