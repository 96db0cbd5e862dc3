import type { Clock } from '#shared/clock.ts';
import type { AgentId, BinId, Epoch } from '#shared/ids.ts';
import type { Rejection } from '#shared/wire/receipt.ts';
import { writeReports } from '../configuration/reports.ts';
import type { Database } from '../database/database.ts';
import type { AppendOutcome, ReadingsStore } from '../readings/store.ts';
import type { Catalogue, CatalogueCache } from './catalogue.ts';
import { draftGroup, refuseConflict, type Draft } from './core/draft.ts';
import { writeCursors, type CursorCache } from './cursors.ts';
import { addAppended, type Appended, type FoldCache, type Refolded } from './fold-cache.ts';
import { gapsOfJumps, writeGaps } from './gaps.ts';
import type { Group } from './message.ts';
import { writeQuarantine } from './quarantine.ts';
import { newestReports, writeStatuses } from './status.ts';

/** What a group's commit rests on. */
export interface Stores {
  readonly db: Database;
  readonly readings: ReadingsStore;
  readonly catalogue: CatalogueCache;
  readonly cursors: CursorCache;
  readonly folds: FoldCache;
  readonly clock: Clock;
}

export interface Answer {
  readonly agent: AgentId;
  readonly epoch: Epoch;
  readonly upTo: number;
  readonly rejected: readonly Rejection[];
}

/** What became of a group, once it is committed. */
export interface Committed {
  readonly answers: readonly Answer[];
  readonly bins: readonly BinId[];
  readonly agents: readonly AgentId[];
  readonly outcomes: Record<AppendOutcome, number>;
  readonly batches: Draft['batches'];
  readonly lostBatches: number;
  readonly quarantined: number;
  /** What left the quarantine for want of room. */
  readonly dropped: number;
  readonly refolded: number;
  readonly restated: number;
}

/**
 * Stores, folds and commits a group: readings first, since they can be appended again without harm,
 * then everything else in one transaction. Until it is committed, nothing in memory counts: when
 * this rejects, the caller may try the same group again.
 */
export async function commitGroup(group: Group, stores: Stores): Promise<Committed> {
  const { db, clock, folds, cursors } = stores;
  const catalogue = await catalogueOf(group, stores);
  await cursors.load(headersOf(group, catalogue));
  const draft = draftGroup(group.batches, {
    ...catalogue,
    cursor: (agent, epoch) => cursors.get(agent, epoch),
  });
  const { byBin, outcomes } = await append(draft, stores.readings);
  draft.gaps.push(...(await gapsOfJumps(draft.jumps, catalogue, stores.readings)));
  const refused = [...group.unreadable, ...draft.refused];
  const moved = [...draft.moved].map(({ agent, epoch, upTo: seq }) => ({ agent, epoch, seq }));
  const nowMs = clock.wallMs();
  const bins = [...byBin].map(([bin, appended]) => {
    return { bin, setups: catalogue.bins.get(bin)?.setups ?? [], appended };
  });
  let refolded: Refolded & { readonly dropped: number };
  try {
    refolded = await db.transaction(async (tx) => {
      await writeCursors(tx, moved, nowMs);
      await writeGaps(tx, draft.gaps);
      const dropped = await writeQuarantine(tx, refused);
      await writeStatuses(tx, group.statuses);
      await writeReports(tx, group.reports);
      return { dropped, ...(await folds.fold(tx, bins, nowMs)) };
    });
  } catch (error) {
    folds.drop(byBin.keys());
    throw error;
  }
  cursors.committed(moved);
  const reporting = [...newestReports(group.statuses), ...group.reports];
  return {
    answers: [...draft.receipts.values()],
    bins: [...byBin.keys()],
    agents: [...new Set([...moved, ...reporting].map(({ agent }) => agent as AgentId))],
    outcomes,
    batches: draft.batches,
    lostBatches: draft.jumps.reduce((sum, { lost }) => sum + lost, 0),
    quarantined: refused.length,
    ...refolded,
  };
}

async function catalogueOf(group: Group, { catalogue }: Stores): Promise<Catalogue> {
  const agents = new Set(group.batches.map(({ agent }) => agent));
  return await catalogue.current(agents, function* binsOfGroup() {
    for (const { decoded } of group.batches) {
      if (decoded.ok) for (const { bin } of decoded.batch.readings) yield bin;
    }
  });
}

function headersOf({ batches }: Group, { sites }: Catalogue): { agent: string; epoch: string }[] {
  return batches.flatMap(({ agent, decoded }) => {
    const header = decoded.ok ? decoded.batch : decoded.header;
    return header === undefined || !sites.has(agent) ? [] : [{ agent, epoch: header.epoch }];
  });
}

/** Stores the draft's readings; conflicts join what is refused, the rest is sorted by bin. */
async function append(
  draft: Draft,
  readings: ReadingsStore,
): Promise<{ byBin: Map<BinId, Appended[]>; outcomes: Record<AppendOutcome, number> }> {
  const outcomes: Record<AppendOutcome, number> = { stored: 0, duplicate: 0, conflict: 0 };
  const byBin = new Map<BinId, Appended[]>();
  if (draft.readings.length === 0) return { byBin, outcomes };
  const results = await readings.append(draft.readings);
  for (const [place, outcome] of results.entries()) {
    outcomes[outcome] += 1;
    if (outcome === 'conflict') refuseConflict(draft, place);
    else addAppended(byBin, draft.readings[place], outcome);
  }
  return { byBin, outcomes };
}
