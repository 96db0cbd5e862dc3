/** What thinning must know of a reading. */
export interface ThinRow {
  readonly row: number;
  readonly bin: number;
  readonly at: number;
  readonly value: number | null;
  readonly spread: number;
  /** Quality and unit: only readings of one kind can stand for each other. */
  readonly kind: number;
}

export interface ThinOptions {
  /** Readings closer to the one before are thought superfluous, ms. */
  readonly spacingMs: number;
  /**
   * `ends`: the ends of every plateau stay, so that no pick or refill is lost. `extremes`: of every
   * `spacingMs` the first, last, lowest and highest stay, so that no total is wrong.
   */
  readonly keep: 'ends' | 'extremes';
}

/** Standard deviations of one sample that two readings of one level may be apart. */
const SAME_SIGMAS = 3;

/**
 * Which readings can go first. Bins that report often lose most, one that only sends heartbeats
 * loses none before the spacing reaches its heartbeat. First and last of each bin always stay.
 * @param rows oldest first
 * @returns what can go, oldest first
 */
export function superfluous<Row extends ThinRow>(
  rows: readonly Row[],
  options: ThinOptions,
): Row[] {
  const byBin = Map.groupBy(rows, ({ bin }) => bin);
  const thinned = [...byBin.values()].flatMap((own) =>
    options.keep === 'ends' ? betweenEnds(own, options) : betweenExtremes(own, options),
  );
  return thinned.toSorted((a, b) => a.row - b.row);
}

function betweenEnds<Row extends ThinRow>(rows: readonly Row[], { spacingMs }: ThinOptions): Row[] {
  let kept = rows[0];
  return rows.filter((row, place) => {
    const next = rows[place + 1];
    const isInside =
      kept !== undefined &&
      kept !== row &&
      next !== undefined &&
      row.at - kept.at < spacingMs &&
      isSameLevel(kept, row) &&
      isSameLevel(row, next);
    if (!isInside) kept = row;
    return isInside;
  });
}

function isSameLevel(a: ThinRow, b: ThinRow): boolean {
  if (a.kind !== b.kind) return false;
  if (a.value === null || b.value === null) return a.value === b.value;
  return Math.abs(a.value - b.value) <= SAME_SIGMAS * Math.max(a.spread, b.spread);
}

function betweenExtremes<Row extends ThinRow>(
  rows: readonly Row[],
  { spacingMs }: ThinOptions,
): Row[] {
  const buckets = Map.groupBy(rows, ({ at, kind }) => `${Math.floor(at / spacingMs)} ${kind}`);
  return [...buckets.values()].flatMap((bucket) => {
    const measured = bucket.filter((row) => row.value !== null);
    const byValue = measured.toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0));
    const kept = new Set([bucket[0], bucket.at(-1), byValue[0], byValue.at(-1)]);
    return bucket.filter((row) => !kept.has(row));
  });
}
