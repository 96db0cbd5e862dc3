import type { AgentId, BinId, Epoch, SiteId } from '#shared/ids.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import type { Batch, DecodedBatch, RejectedRow } from '#shared/wire/batch.ts';
import type { Rejection } from '#shared/wire/receipt.ts';
import { admit, type Admission } from './admission.ts';
import { gapFault, readingFault, type KnownBin } from './checks.ts';

/** A message of the `readings` topic as it arrived. */
export interface Arrival {
  /** Whose topic it came on. */
  readonly agent: string;
  readonly receivedMs: number;
  readonly payload: Uint8Array;
  readonly decoded: DecodedBatch;
}

/** A message, or one row of it, that could not be taken. */
export interface Refused {
  /** Whose topic it came on; not necessarily an agent we know. */
  readonly agent: string;
  readonly receivedMs: number;
  readonly epoch?: string | undefined;
  readonly seq?: number | undefined;
  readonly index?: number | undefined;
  readonly reason: string;
  /** The message as it came, or the row as JSON. */
  readonly payload: Uint8Array;
}

/** What the agent is to be told about one of its outboxes. */
export interface ReceiptDraft {
  readonly agent: AgentId;
  readonly epoch: Epoch;
  upTo: number;
  readonly rejected: Rejection[];
}

/** Batches that the agent no longer holds and we never stored. */
export interface Jump {
  readonly agent: AgentId;
  readonly site: SiteId;
  readonly lost: number;
  /** The oldest reading taken of the batch after them, or when that was received. */
  readonly untilMs: number;
}

/** Rows of one batch: readings `start` … of the draft came from these. */
interface Segment {
  readonly start: number;
  readonly arrival: Arrival;
  readonly receipt: ReceiptDraft;
  readonly seq: number;
  /** Row of each reading, where they are not simply numbered from 0. */
  readonly rows: readonly number[];
}

/** What a group of messages comes to, before anything of it is stored. */
export interface Draft {
  /** Good ones, in the order they arrived in. */
  readonly readings: Reading[];
  readonly gaps: Gap[];
  readonly refused: Refused[];
  readonly jumps: Jump[];
  /** By agent and outbox. */
  readonly receipts: Map<string, ReceiptDraft>;
  /** Outboxes whose cursor moves. */
  readonly moved: Set<ReceiptDraft>;
  readonly batches: Record<Admission['kind'] | 'unreadable', number>;
  readonly segments: Segment[];
}

export interface Known {
  readonly sites: ReadonlyMap<string, SiteId>;
  readonly bins: ReadonlyMap<BinId, KnownBin>;
  /** How far an outbox is stored and folded; 0 where nothing of it is. */
  cursor(agent: string, epoch: string): number;
}

/**
 * A receipt is a message too: beyond so many rejections the quarantine has the rest. A batch with
 * more bad rows is kept as it came, once: row by row it would take a hundred times its size.
 */
const MAX_REJECTIONS = 500;
const MAX_REASON = 200;

/** Judges each message of a group by itself: a bad one spoils nothing but itself. */
export function draftGroup(arrivals: readonly Arrival[], known: Known): Draft {
  const draft: Draft = {
    readings: [],
    gaps: [],
    refused: [],
    jumps: [],
    receipts: new Map(),
    moved: new Set(),
    batches: { duplicate: 0, next: 0, ahead: 0, jump: 0, unreadable: 0 },
    segments: [],
  };
  for (const arrival of arrivals) judge(draft, arrival, known);
  return draft;
}

function judge(draft: Draft, arrival: Arrival, known: Known): void {
  const { agent, decoded } = arrival;
  const site = known.sites.get(agent);
  const header = decoded.ok ? decoded.batch : decoded.header;
  if (site === undefined || header === undefined) {
    const reason = site === undefined ? 'unknown agent' : decoded.ok ? '' : decoded.reason;
    draft.batches.unreadable += 1;
    refuseWhole(draft, arrival, reason);
    return;
  }
  const receipt = receiptOf(draft, agent as AgentId, header.epoch as Epoch, known);
  const admission = admit(receipt.upTo, header);
  draft.batches[admission.kind] += 1;
  if (admission.kind === 'duplicate' || admission.kind === 'ahead') return;
  const start = draft.readings.length;
  receipt.upTo = header.seq;
  draft.moved.add(receipt);
  if (decoded.ok) takeRows(draft, arrival, { ...decoded, receipt, site }, known);
  else {
    draft.batches.unreadable += 1;
    refuseWhole(draft, arrival, decoded.reason, header);
    reject(receipt, { seq: header.seq, reason: decoded.reason });
  }
  if (admission.kind === 'jump') {
    const untilMs = draft.readings
      .slice(start)
      .reduce((oldest, { at }) => Math.min(oldest, at), arrival.receivedMs);
    draft.jumps.push({ agent: receipt.agent, site, lost: admission.lost, untilMs });
  }
}

function receiptOf(draft: Draft, agent: AgentId, epoch: Epoch, known: Known): ReceiptDraft {
  const key = `${agent} ${epoch}`;
  const found = draft.receipts.get(key);
  if (found !== undefined) return found;
  const receipt = { agent, epoch, upTo: known.cursor(agent, epoch), rejected: [] };
  draft.receipts.set(key, receipt);
  return receipt;
}

interface Taken {
  readonly batch: Batch;
  readonly rejected: readonly RejectedRow[];
  readonly receipt: ReceiptDraft;
  readonly site: SiteId;
}

function takeRows(draft: Draft, arrival: Arrival, taken: Taken, known: Known): void {
  const { batch, rejected, receipt, site } = taken;
  const { receivedMs: nowMs } = arrival;
  const bad = new Set(rejected.filter(({ row }) => !('gap' in row)).map(({ index }) => index));
  const newest = new Map<BinId, number>();
  const rows: number[] = [];
  const segment = { start: draft.readings.length, arrival, receipt, seq: batch.seq, rows };
  draft.segments.push(segment);
  const spoilt: BadRow[] = [];
  let row = -1;
  for (const reading of batch.readings) {
    do row += 1;
    while (bad.has(row));
    const circumstances = { bin: known.bins.get(reading.bin), site, nowMs };
    const fault = readingFault(reading, circumstances, newest.get(reading.bin) ?? 0);
    if (fault === undefined) {
      newest.set(reading.bin, reading.at);
      draft.readings.push(reading);
      rows.push(row);
    } else spoilt.push({ index: row, row: reading, reason: fault });
  }
  spoilt.push(...rejected);
  for (const [index, gap] of batch.gaps.entries()) {
    const fault = gapFault(gap, { bin: known.bins.get(gap.bin), site, nowMs });
    if (fault === undefined) draft.gaps.push(gap);
    else spoilt.push({ index, row: { gap }, reason: fault });
  }
  if (spoilt.length <= MAX_REJECTIONS) {
    for (const one of spoilt) refuseRow(draft, segment, one);
    return;
  }
  const reason = `${spoilt.length} rows cannot be taken; the first: ${spoilt[0]?.reason ?? ''}`;
  refuseWhole(draft, arrival, reason, batch);
  reject(receipt, { seq: batch.seq, reason });
}

interface BadRow {
  readonly index: number;
  readonly row: object;
  readonly reason: string;
}

function refuseWhole(
  draft: Draft,
  { agent, receivedMs, payload }: Arrival,
  reason: string,
  header?: { readonly epoch: string; readonly seq: number },
): void {
  const { epoch, seq } = header ?? {};
  draft.refused.push({ agent, receivedMs, epoch, seq, reason, payload });
}

function refuseRow(
  draft: Draft,
  { arrival, receipt, seq }: Pick<Segment, 'arrival' | 'receipt' | 'seq'>,
  bad: BadRow,
): void {
  const { agent, receivedMs } = arrival;
  const { epoch } = receipt;
  const payload = new TextEncoder().encode(JSON.stringify(bad.row));
  if ('gap' in bad.row) {
    const reason = `gap ${bad.index}: ${bad.reason}`;
    draft.refused.push({ agent, receivedMs, epoch, seq, reason, payload });
    reject(receipt, { seq, reason });
    return;
  }
  const { index, reason } = bad;
  draft.refused.push({ agent, receivedMs, epoch, seq, index, reason, payload });
  reject(receipt, { seq, index, reason });
}

function reject({ rejected }: ReceiptDraft, rejection: Rejection): void {
  if (rejected.length >= MAX_REJECTIONS) return;
  rejected.push({ ...rejection, reason: rejection.reason.slice(0, MAX_REASON) });
}

/** Refuses a reading that the store could not take beside another one of the same time. */
export function refuseConflict(draft: Draft, place: number): void {
  const reading = draft.readings[place];
  const segment = draft.segments.findLast(({ start }) => start <= place);
  if (reading === undefined || segment === undefined) return;
  const index = segment.rows[place - segment.start] ?? 0;
  const reason = 'at: another reading of this bin and time is stored';
  refuseRow(draft, segment, { index, row: reading, reason });
}
