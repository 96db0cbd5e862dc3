import type { BinId } from '#shared/ids.ts';
import type { Gap } from '#shared/reading.ts';
import type { OpenedFile } from './file.ts';
import type { Salvaged } from './salvage.ts';
import type { BinRow } from './statements.ts';

/** A corrupt file that was set aside, and how much of it was saved. */
export type SetAside = NonNullable<OpenedFile['setAside']> & Salvaged;

/**
 * What a damaged store cannot tell of itself: nobody knows how many readings these are.
 * @param known the bins that it still has on record
 * @param options.bins all of which there may have been records
 * @returns a record of every bin that is not on record, and of all where the newest commits are lost
 */
export function unknownLosses(
  known: readonly BinRow[],
  options: {
    readonly bins: readonly BinId[];
    readonly isNewestLost: boolean;
    /** When the store was last written, ms since 1970 UTC. */
    readonly writtenAt: number;
  },
): Gap[] {
  const { bins, isNewestLost, writtenAt } = options;
  const onRecord = new Set(known.map(({ bin }) => bin));
  const at = Math.max(1, writtenAt);
  const unknown = bins.filter((bin) => !onRecord.has(bin));
  return [
    ...unknown.map((bin) => damaged(bin, at, at)),
    ...(isNewestLost ? known.map((row) => damaged(row.bin, row.at, writtenAt)) : []),
  ];
}

const damaged = (bin: BinId, from: number, to: number): Gap => ({
  bin,
  from,
  to: Math.max(from, to),
  count: 0,
  why: 'damaged',
});
