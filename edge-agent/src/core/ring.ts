import type { BinId } from '#shared/ids.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import type { ClockSegment, Moved } from './device-clock.ts';
import type { Reported } from './reporting.ts';

export interface RingEntry {
  readonly reading: Reading;
  readonly gap: Gap | null;
}

/**
 * Makes room among readings that wait in memory: the oldest go, but never the newest of a bin. The
 * next reading of the bin that stays carries a gap record of them, and of the gaps they carried.
 * @param most how many are to go
 */
export function withoutOldest<Entry extends RingEntry>(
  entries: readonly Entry[],
  most: number,
): { readonly kept: Entry[]; readonly lost: number } {
  const newest = new Map(entries.map((entry) => [entry.reading.bin, entry]));
  const gone = new Map<Reading['bin'], Gap>();
  const kept: Entry[] = [];
  let lost = 0;
  for (const entry of entries) {
    const { bin, at } = entry.reading;
    const earlier = gone.get(bin);
    if (lost < most && newest.get(bin) !== entry) {
      lost += 1;
      const own: Gap = { bin, from: Math.max(1, at - 1), to: at, count: 1, why: 'dropped' };
      gone.set(bin, merged(earlier, entry.gap, own) ?? own);
    } else {
      gone.delete(bin);
      kept.push(earlier === undefined ? entry : { ...entry, gap: merged(earlier, entry.gap) });
    }
  }
  return { kept, lost };
}

/** An entry that knows which clock stamped it, and up to where its bin is accounted for. */
export interface StampedEntry extends RingEntry {
  readonly accountedTo: number;
  readonly clock: ClockSegment | null;
}

/** Moves what waits in memory to another time, as far as the clock `moved.from` stamped it. */
export function movedTo<Entry extends StampedEntry>(
  entries: readonly Entry[],
  { from, to, shiftMs }: Moved,
): Entry[] {
  return entries.map((entry) => {
    const { clock, reading, gap, accountedTo } = entry;
    if (clock === null || clock.boot !== from.boot || clock.offsetMs !== from.offsetMs)
      return entry;
    const { at, synced } = reading;
    return {
      ...entry,
      reading: { ...reading, at: at + shiftMs, synced: synced || to.synced },
      gap: gap && { ...gap, from: Math.max(1, gap.from + shiftMs), to: gap.to + shiftMs },
      accountedTo: accountedTo + shiftMs,
      clock: to,
    };
  });
}

/**
 * Places what waits in memory after records that are found only now. The first of each bin carries a
 * gap record of the time since; one that would not come after them gets the next millisecond, and
 * is not sure of its time.
 */
export function placedAfter<Entry extends StampedEntry>(
  entries: readonly Entry[],
  newest: ReadonlyMap<BinId, Pick<Reported, 'at' | 'accountedTo'>>,
): Entry[] {
  const last = new Map<BinId, number>();
  return entries.map((entry) => {
    const { reading, accountedTo } = entry;
    const { bin } = reading;
    const before = newest.get(bin);
    const isFirst = !last.has(bin);
    const least = (last.get(bin) ?? before?.at ?? 0) + 1;
    const at = Math.max(reading.at, least);
    last.set(bin, at);
    const synced = reading.synced && at === reading.at;
    const gap = isFirst && before !== undefined ? gapSince(before, entry, at) : entry.gap;
    const accounted = Math.max(accountedTo, at);
    return { ...entry, reading: { ...reading, at, synced }, gap, accountedTo: accounted };
  });
}

function gapSince(
  { accountedTo }: Pick<Reported, 'accountedTo'>,
  entry: RingEntry,
  at: number,
): Gap {
  const { gap, reading } = entry;
  const { bin } = reading;
  const from = Math.min(accountedTo, at);
  if (gap === null) return { bin, from, to: at, count: 0, why: 'not-measured' };
  return { ...gap, from, to: Math.max(from, Math.min(gap.to, at)) };
}

/** One record for all; null for none. */
function merged(...gaps: readonly (Gap | null | undefined)[]): Gap | null {
  const found = gaps.filter((gap) => gap !== null && gap !== undefined);
  const newest = found.at(-1);
  if (newest === undefined) return null;
  return {
    bin: newest.bin,
    from: Math.min(...found.map(({ from }) => from)),
    to: Math.max(...found.map(({ to }) => to)),
    count: found.reduce((sum, { count }) => sum + count, 0),
    why: found.some(({ why }) => why === 'dropped') ? 'dropped' : newest.why,
  };
}
