import { setTimeout as pause } from 'node:timers/promises';
import { Failure, messageOf } from '#shared/failure.ts';
import type { BinId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import { DAY_MS } from '#shared/units.ts';
import type { ReadingsStore } from './store.ts';

/** A chunk takes a millisecond or two: so a twentieth of a core at most is spent on looking. */
const BETWEEN_CHUNKS_MS = 25;
const BETWEEN_ROUNDS_MS = DAY_MS;

export interface InspectionOptions {
  readonly readings: Pick<ReadingsStore, 'read'>;
  readonly bins: () => Promise<readonly BinId[]>;
  readonly log: Log;
  readonly pauses?: { readonly betweenChunksMs: number; readonly betweenRoundsMs: number };
}

/** Reads all readings again and again, in the background: a damaged page is found before it hurts. */
export interface Inspection {
  /** What is wrong with the store, in a line; null where nothing was found yet. */
  fault(): string | null;
  /** How often all was read to the end. */
  rounds(): number;
  close(): Promise<void>;
}

export function startInspection({
  readings,
  bins,
  log,
  pauses = { betweenChunksMs: BETWEEN_CHUNKS_MS, betweenRoundsMs: BETWEEN_ROUNDS_MS },
}: InspectionOptions): Inspection {
  const stopping = new AbortController();
  const { signal } = stopping;
  let fault: string | null = null;
  let rounds = 0;

  const rest = (ms: number): Promise<void> => pause(ms, undefined, { signal, ref: false });

  const inspect = async (bin: BinId): Promise<void> => {
    let newest = 0;
    for await (const chunk of readings.read(bin, { from: 0, to: Number.MAX_SAFE_INTEGER })) {
      for (const { at } of chunk) {
        if (at <= newest) throw corrupt(`${bin}: a reading at ${at} stands after one at ${newest}`);
        newest = at;
      }
      await rest(pauses.betweenChunksMs);
    }
  };

  const round = async (): Promise<void> => {
    try {
      for (const bin of await bins()) await inspect(bin);
      fault = null;
    } catch (error) {
      if (signal.aborted) return;
      // What passes by itself is told by whoever needs the store now.
      if (!(error instanceof Failure) || error.retry !== 'never') {
        log.warn({ err: error }, 'readings not inspected to the end');
        return;
      }
      if (fault === null) log.error({ err: error }, 'readings are damaged');
      fault = messageOf(error);
    }
    rounds += 1;
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await round();
      await rest(pauses.betweenRoundsMs).catch(() => undefined);
    }
  };
  const running = run();

  return {
    fault: () => fault,
    rounds: () => rounds,
    async close() {
      stopping.abort();
      await running;
    },
  };
}

const corrupt = (message: string): Failure =>
  new Failure('readings-corrupt', message, { retry: 'never' });
