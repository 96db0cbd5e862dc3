import { z } from 'zod';
import { ID_PATTERN, type BinId, type Epoch } from '../ids.ts';
import { GAP_CAUSES, QUALITIES, type Gap, type Quality, type Reading } from '../reading.ts';
import { READING_UNITS, type ReadingUnit } from '../units.ts';
import { packed, unpacked } from './compression.ts';

/**
 * A batch on the wire is a table: one array per column, row i of each makes reading i. `at` counts
 * from `from`, so that numbers stay short; a column whose rows are all alike may be a single value,
 * except for `bin`, whose length is the number of rows.
 * Rows are independent of each other: one bad row spoils only itself.
 *
 *   {"epoch":"k3f9","seq":17,"oldest":15,
 *    "bins":[{"bin":"a1","unit":"mg"},{"bin":"a2","unit":"mg"}],"from":1760000000000,
 *    "readings":{"bin":[0,1,0],"at":[0,40,10000],"value":[812040,1200500,801950],
 *                "samples":10,"spread":[310,290,305],"quality":"good","synced":true},
 *    "gaps":[{"bin":"a2","from":1759990000000,"to":1760000000000,"count":0,"why":"not-measured"}]}
 */
export const MAX_READINGS_PER_BATCH = 5_000;
/** As it travels, and inflated. */
export const MAX_BATCH_BYTES = 1_048_576;

const id = z.string().regex(ID_PATTERN);
const time = z.int().min(1);

/** Who sent which batch; readable even where the rest of the batch is not. */
const header = {
  epoch: id,
  seq: z.int().min(1),
  /** The oldest batch the agent still holds; the cloud need not wait for anything before it. */
  oldest: z.int().min(1),
};
export const batchHeaderSchema = z.object(header);

export const gapSchema = z.object({
  bin: id.transform((text) => text as BinId),
  from: time,
  to: time,
  count: z.int().min(0),
  why: z.enum(GAP_CAUSES),
});

/** Characters of a single cell: the longest quality has 12, and newer ones may have more. */
const MAX_WORD = 32;

/**
 * Cells, or one for all rows. That one is refused with the whole batch where it is large, since
 * every row it spoils is kept: 1 MiB in 5,000 rows would be 5 GB in quarantine.
 */
const cells = z
  .unknown()
  .refine(
    (value) =>
      Array.isArray(value) ||
      (typeof value === 'string' ? value.length <= MAX_WORD : !isObject(value)),
    'expected an array with a cell for each row, or one short cell for all',
  );
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** Structure only; each row is judged on its own by {@link decodeBatch}. */
const batchSchema = z.object({
  ...header,
  epoch: id.transform((text) => text as Epoch),
  bins: z.array(z.object({ bin: id, unit: z.enum(READING_UNITS) })).max(MAX_READINGS_PER_BATCH),
  from: time,
  readings: z.object({
    bin: z.array(z.unknown()).max(MAX_READINGS_PER_BATCH),
    at: cells,
    value: cells,
    samples: cells,
    spread: cells,
    quality: cells,
    synced: cells,
  }),
  gaps: z.array(z.unknown()).max(MAX_READINGS_PER_BATCH).default([]),
});

export interface Batch {
  readonly epoch: Epoch;
  readonly seq: number;
  readonly oldest: number;
  readonly readings: readonly Reading[];
  readonly gaps: readonly Gap[];
}

/** A row that could not be read: its index, what is known of it, and why. */
export interface RejectedRow {
  readonly index: number;
  readonly row: Readonly<Record<string, unknown>>;
  readonly reason: string;
}

export type DecodedBatch =
  | { readonly ok: true; readonly batch: Batch; readonly rejected: readonly RejectedRow[] }
  | {
      readonly ok: false;
      /** Present where at least epoch and seq could be read, so that the queue can move on. */
      readonly header?: z.infer<typeof batchHeaderSchema>;
      readonly reason: string;
    };

/**
 * @param payload a message of the `readings` topic, UTF-8 JSON or gzip of it
 * @returns the batch and the rows that could not be read, or why nothing of it could be read
 */
export function decodeBatch(payload: Uint8Array): DecodedBatch {
  const unpackedPayload = unpacked(payload, MAX_BATCH_BYTES);
  if (!unpackedPayload.ok) return unpackedPayload;
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(unpackedPayload.bytes));
  } catch (error) {
    return {
      ok: false,
      reason: `not JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
    };
  }
  const parsed = batchSchema.safeParse(json);
  if (!parsed.success) {
    const reason = z.prettifyError(parsed.error);
    const head = batchHeaderSchema.safeParse(json);
    return head.success ? { ok: false, header: head.data, reason } : { ok: false, reason };
  }
  const table = parsed.data;
  const readings: Reading[] = [];
  const rejected: RejectedRow[] = [];
  const gaps: Gap[] = [];
  const rowOf = rowReader(table.readings);
  for (let index = 0; index < table.readings.bin.length; index += 1) {
    const row = rowOf(index);
    const reading = readRow(row, table.from, table.bins);
    if (typeof reading === 'string') rejected.push({ index, row, reason: reading });
    else readings.push(reading);
  }
  for (const [index, candidate] of table.gaps.entries()) {
    const gap = gapSchema.safeParse(candidate);
    if (gap.success) gaps.push(gap.data);
    else rejected.push({ index, row: { gap: candidate }, reason: z.prettifyError(gap.error) });
  }
  const { epoch, seq, oldest } = table;
  return { ok: true, batch: { epoch, seq, oldest, readings, gaps }, rejected };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const qualities: ReadonlySet<unknown> = new Set(QUALITIES);

type Columns = z.infer<typeof batchSchema>['readings'];
type Row = Readonly<Record<keyof Columns, unknown>>;

/** A column is an array with one entry a row, or one value that holds for all rows. */
function column(content: unknown): (index: number) => unknown {
  return Array.isArray(content) ? (index) => content[index] as unknown : () => content;
}

function rowReader(columns: Columns): (index: number) => Row {
  const bin = column(columns.bin);
  const at = column(columns.at);
  const value = column(columns.value);
  const samples = column(columns.samples);
  const spread = column(columns.spread);
  const quality = column(columns.quality);
  const synced = column(columns.synced);
  return (index) => ({
    bin: bin(index),
    at: at(index),
    value: value(index),
    samples: samples(index),
    spread: spread(index),
    quality: quality(index),
    synced: synced(index),
  });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Checked by hand, since this is run for every reading; @returns the reading, or why it is none. */
function readRow(
  row: Row,
  from: number,
  bins: readonly { bin: string; unit: ReadingUnit }[],
): Reading | string {
  const { bin: place, at, value, samples, spread, quality, synced } = row;
  const bin = isCount(place) ? bins[place] : undefined;
  if (bin === undefined) return `bin: ${JSON.stringify(place)} is no index into bins`;
  if (!isCount(at) || !Number.isSafeInteger(from + at)) return 'at: expected an integer ≥ 0, in ms';
  if (value !== null && !Number.isSafeInteger(value)) return 'value: expected an integer or null';
  if (!isCount(samples)) return 'samples: expected an integer ≥ 0';
  if (!isCount(spread)) return 'spread: expected an integer ≥ 0';
  if (!qualities.has(quality)) return `quality: expected one of ${QUALITIES.join(', ')}`;
  if (typeof synced !== 'boolean') return 'synced: expected true or false';
  if (quality === 'good' && (value === null || samples === 0)) {
    return 'value: a good reading has a value and at least one sample';
  }
  return {
    bin: bin.bin as BinId,
    at: from + at,
    value: value as number | null,
    unit: bin.unit,
    samples,
    spread,
    quality: quality as Quality,
    synced,
  };
}

/** The payload of a batch: the table of {@link decodeBatch}, as compact as the rows allow. */
export function encodeBatch(batch: Batch): string {
  const places = new Map<string, number>();
  const bins: { bin: BinId; unit: ReadingUnit }[] = [];
  const place = ({ bin, unit }: Reading): number => {
    const key = `${bin} ${unit}`;
    let index = places.get(key);
    if (index === undefined) {
      index = bins.push({ bin, unit }) - 1;
      places.set(key, index);
    }
    return index;
  };
  const { epoch, seq, oldest, readings, gaps } = batch;
  const from = readings.reduce((min, { at }) => Math.min(min, at), readings[0]?.at ?? 1);
  const bin = readings.map(place);
  return JSON.stringify({
    epoch,
    seq,
    oldest,
    bins,
    from,
    readings: {
      bin,
      at: readings.map((reading) => reading.at - from),
      value: readings.map((reading) => reading.value),
      samples: folded(readings.map((reading) => reading.samples)),
      spread: folded(readings.map((reading) => reading.spread)),
      quality: folded(readings.map((reading) => reading.quality)),
      synced: folded(readings.map((reading) => reading.synced)),
    },
    ...(gaps.length > 0 && { gaps }),
  });
}

/** The payload as it is published: gzip where that pays. */
export const packBatch = (batch: Batch): Uint8Array => packed(encodeBatch(batch));

/** A column whose cells are all alike is written once. */
function folded<T>(cells: readonly T[]): T | readonly T[] {
  const [first] = cells;
  return first !== undefined && cells.every((cell) => cell === first) ? first : cells;
}
