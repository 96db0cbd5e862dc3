import type { Gap, Reading } from '#shared/reading.ts';

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
