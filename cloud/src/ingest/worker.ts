import { setTimeout as pause } from 'node:timers/promises';
import type { Transaction } from 'kysely';
import type { Clock } from '#shared/clock.ts';
import { Failure, messageOf } from '#shared/failure.ts';
import type { AgentId, BinId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import type { Live } from '#shared/wire/live.ts';
import type { Receipt } from '#shared/wire/receipt.ts';
import { writeLedger, type RestatementCause } from '../consumption/ledger.ts';
import { compareLedger, type LedgerHashes } from '../consumption/restatement.ts';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import type { ReadingsStore } from '../readings/store.ts';
import { createCatalogueCache, loadBins } from './catalogue.ts';
import type { Changes } from './changes.ts';
import { commitGroup, type Committed, type Stores } from './commit.ts';
import { NO_PACE, paceAfter, windowFor } from './core/credit.ts';
import { createCursorCache } from './cursors.ts';
import { createFoldCache } from './fold-cache.ts';
import { readmitQuarantined, type Readmissions, type Wanted } from './readmission.ts';
import { readGroup, readNothing, type Group, type Message } from './message.ts';
import type { IngestMetrics } from './metrics.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** An agent counts as sending for so long after its last batch. */
const SENDING_MS = 5_000;

export interface WorkerOptions {
  readonly db: Database;
  readonly readings: ReadingsStore;
  readonly changes: Changes;
  readonly metrics: IngestMetrics;
  readonly clock: Clock;
  readonly log: Log;
  /** Sends a receipt; may lose it, since the agent then sends its batches again. */
  readonly sendReceipt: (agent: AgentId, receipt: Receipt) => void;
}

/** What is done to a bin's ledger other than by its readings as they come. */
export interface Restating {
  /**
   * Makes a change to a bin and tells its history anew from when `change` says, in the same
   * transaction; null where it alters nothing of it. Rejects where `change` does, and nothing has
   * happened then.
   */
  restateBin(
    bin: BinId,
    cause: RestatementCause,
    change: (tx: Transaction<Tables>) => Promise<number | null>,
  ): Promise<void>;
  /**
   * Folds all of a bin's stored readings and compares the result with its ledger.
   * @param repair whether a ledger that differs is restated with the cause `recomputed`
   */
  recompute(bin: BinId, repair?: boolean): Promise<LedgerHashes>;
  /** Tries quarantined readings again, as late ones. */
  readmit(wanted: Wanted): Promise<Readmissions>;
  /** To be called when agents or bins were created or changed. */
  forgetCatalogue(): void;
}

export interface Worker extends Restating {
  /** Shows what an agent sent ahead of its backlog, without waiting for any commit. */
  show(agent: string, live: Live): Promise<void>;
  /** Commits a group and sends its receipts. Rejects only where the stores are of no use any more. */
  process(group: readonly Message[]): Promise<void>;
  /** Waits for what is under way and writes checkpoints, so that the next start is quick. */
  close(): Promise<void>;
}

/** Owns the ledger: one thing is done to it at a time. */
export function createWorker(options: WorkerOptions): Worker {
  const { db, readings, clock, log, metrics, changes } = options;
  const folds = createFoldCache(readings);
  const catalogue = createCatalogueCache(db.sql, clock);
  const cursors = createCursorCache(db.sql);
  const stores: Stores = { db, readings, clock, folds, catalogue, cursors };
  const stopping = new AbortController();
  let pace = NO_PACE;
  /** When each agent last sent a batch, on the monotonic clock. */
  const sending = new Map<AgentId, number>();
  let last: Promise<unknown> = Promise.resolve();

  /** Runs one piece of work at a time, in order. */
  const exclusive = async <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return await result;
  };

  /** @throws the fault where the worker is closed meanwhile: it is no message's fault */
  const pauseOr = async (fault: Failure, waitMs: number): Promise<void> => {
    try {
      await pause(waitMs, undefined, { signal: stopping.signal });
    } catch (error) {
      throw stopping.signal.aborted ? fault : error;
    }
  };

  const commit = async (group: Group): Promise<void> => {
    const startedMs = clock.monotonicMs();
    for (let waitMs = FIRST_PAUSE_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_PAUSE_MS)) {
      try {
        finish(await commitGroup(group, stores), startedMs);
        return;
      } catch (error) {
        if (!(error instanceof Failure) || error.retry === 'never') throw error;
        metrics.retries.inc();
        log.warn({ err: error, retry: error.retry, waitMs }, 'commit failed; trying again');
        if (error.retry === 'later') await pauseOr(error, waitMs);
      }
    }
  };

  /** Commits messages together; where something in them cannot be, each alone, and sets that apart. */
  const take = async (messages: readonly Message[]): Promise<void> => {
    try {
      await commit(readGroup(messages));
    } catch (error) {
      if (error instanceof Failure) throw error;
      if (messages.length > 1) {
        for (const message of messages) await take([message]);
        return;
      }
      log.error({ err: error, agent: messages[0]?.agent }, 'message not committed: quarantined');
      const reason = `could not be committed: ${messageOf(error)}`;
      await commit(readNothing(messages, reason));
    }
  };

  /** @returns how many batches an agent may send ahead, after a group from these */
  const grant = (agents: Iterable<AgentId>, batches: number, startedMs: number): number => {
    const nowMs = clock.monotonicMs();
    for (const agent of agents) sending.set(agent, nowMs);
    for (const [agent, sentMs] of sending) {
      if (nowMs - sentMs > SENDING_MS) sending.delete(agent);
    }
    if (batches > 0) pace = paceAfter(pace, { batches, busyMs: nowMs - startedMs });
    return windowFor(pace, sending.size);
  };

  const finish = (committed: Committed, startedMs: number): void => {
    const batches = committed.batches.next + committed.batches.jump;
    const agents = committed.answers.map(({ agent }) => agent);
    const window = grant(agents, batches, startedMs);
    const now = clock.wallMs();
    for (const { agent, epoch, upTo, rejected } of committed.answers) {
      options.sendReceipt(agent, { epoch, upTo, window, rejected: [...rejected], now });
    }
    count(metrics, committed, window);
    changes.publish({ bins: committed.bins, agents: committed.agents });
  };

  return {
    async show(agent, { readings: ahead }) {
      const bins = ahead.map(({ bin }) => bin as BinId);
      const known = await catalogue.current([agent], () => bins);
      const site = known.sites.get(agent);
      // An agent shows bins of its own site only.
      const own = ahead.filter(
        ({ bin }) => site !== undefined && known.bins.get(bin as BinId)?.site === site,
      );
      for (const reading of own) changes.show(reading);
      changes.publish({ bins: own.map(({ bin }) => bin as BinId), agents: [] });
    },
    process: (group) =>
      exclusive(async () => {
        const started = clock.monotonicMs();
        await take(group);
        metrics.groupBatches.observe(group.length);
        metrics.commitSeconds.observe((clock.monotonicMs() - started) / 1_000);
      }),
    restateBin: (bin, cause, change) =>
      exclusive(async () => {
        const why = { cause, nowMs: clock.wallMs() };
        try {
          const { refolded, restated } = await db.transaction(async (tx) => {
            const before = await change(tx);
            if (before === null) return { refolded: 0, restated: 0 };
            const setups = (await loadBins(tx, bin)).get(bin)?.setups ?? [];
            return await folds.retell(tx, [{ bin, setups, before }], why);
          });
          metrics.refolds.inc(refolded);
          metrics.restatements.inc(restated);
        } catch (error) {
          folds.drop([bin]);
          throw error;
        } finally {
          catalogue.forget();
        }
        changes.publish({ bins: [bin], agents: [] });
      }),
    recompute: (bin, repair = false) =>
      exclusive(async () => {
        const why = { cause: 'recomputed' as const, nowMs: clock.wallMs() };
        try {
          return await db.transaction(async (tx) => {
            const setups = (await loadBins(tx, bin)).get(bin)?.setups ?? [];
            const { hashes, telling } = await compareLedger(tx, readings, { bin, setups });
            if (repair && !hashes.equal) await folds.adopt(tx, [telling], why);
            return hashes;
          });
        } catch (error) {
          folds.drop([bin]);
          throw error;
        }
      }),
    readmit: (wanted) =>
      exclusive(async () => {
        const readmissions = await readmitQuarantined(wanted, stores);
        const { bins, outcomes, refolded, restated } = readmissions;
        for (const [outcome, number] of Object.entries(outcomes)) {
          metrics.readings.inc({ outcome }, number);
        }
        metrics.refolds.inc(refolded);
        metrics.restatements.inc(restated);
        changes.publish({ bins, agents: [] });
        return readmissions;
      }),
    forgetCatalogue: () => catalogue.forget(),
    async close() {
      stopping.abort();
      await exclusive(async () => {
        const checkpoints = folds.checkpoints();
        if (checkpoints.length === 0) return;
        await db.transaction(async (tx) => {
          await writeLedger(tx, { movements: [], rollups: [], stocks: [], checkpoints });
        });
      });
    },
  };
}

function count(metrics: IngestMetrics, committed: Committed, window: number): void {
  const { outcomes, batches, quarantined, dropped, lostBatches, refolded, restated } = committed;
  for (const [outcome, number] of Object.entries(outcomes)) {
    metrics.readings.inc({ outcome }, number);
  }
  for (const [admission, number] of Object.entries(batches)) {
    metrics.batches.inc({ admission }, number);
  }
  metrics.quarantined.inc(quarantined);
  metrics.dropped.inc(dropped);
  metrics.lostBatches.inc(lostBatches);
  metrics.refolds.inc(refolded);
  metrics.restatements.inc(restated);
  metrics.window.set(window);
}
