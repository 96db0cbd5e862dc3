import { DAY_MS, type QuantityUnit } from '#shared/units.ts';

/** What happened in a step; quantities in the product's unit. */
export interface Amounts {
  readonly consumed: number;
  /** How much less, and how much more, may have been consumed than `consumed`; ≥ 0. */
  readonly lessBy: number;
  readonly moreBy: number;
  readonly refilled: number;
  /** Signed, as is `adjusted`. */
  readonly unexplained: number;
  readonly adjusted: number;
  readonly exposureMs: number;
}

/** Of one bin and product; `step` is an index from 0. */
export interface BinAmounts extends Amounts {
  readonly bin: string;
  readonly product: string;
  readonly step: number;
}

/** Of all bins of a group that count in `unit`. */
export interface GroupAmounts extends Amounts {
  readonly key: string;
  readonly unit: QuantityUnit;
  readonly step: number;
  /** Sum of the bins' speeds in `unit` a day of exposure; null where no bin was exposed. */
  readonly perDay: number | null;
}

export interface Grouping {
  readonly keyOf: (amounts: BinAmounts) => string;
  readonly unitOf: (amounts: BinAmounts) => QuantityUnit;
}

/**
 * Adds bins to groups, each bin once with all its products: a bin's speed is what it consumed over
 * how long it was watched, and a group's speed is the sum of its bins' speeds.
 * @param groups by key, unit and step; changed
 */
export function addToGroups(
  groups: Map<string, GroupAmounts>,
  bins: Iterable<BinAmounts>,
  { keyOf, unitOf }: Grouping,
): void {
  const shares = new Map<string, GroupAmounts>();
  for (const amounts of bins) {
    const { bin, step } = amounts;
    const [key, unit] = [keyOf(amounts), unitOf(amounts)];
    const share = { ...amountsOf(amounts), key, unit, step, perDay: null };
    put(shares, `${key}/${unit}/${step}/${bin}`, share);
  }
  for (const share of shares.values()) {
    const { key, unit, step, consumed, exposureMs } = share;
    const perDay = exposureMs === 0 ? null : (consumed / exposureMs) * DAY_MS;
    put(groups, `${key}/${unit}/${step}`, { ...share, perDay });
  }
}

/** Ids have no slash, so that one makes a key of several. */
function put(groups: Map<string, GroupAmounts>, place: string, more: GroupAmounts): void {
  const sum = groups.get(place);
  if (sum === undefined) groups.set(place, more);
  else groups.set(place, { ...sum, ...added(sum, more), perDay: faster(sum.perDay, more.perDay) });
}

function amountsOf({
  consumed,
  lessBy,
  moreBy,
  refilled,
  unexplained,
  adjusted,
  exposureMs,
}: Amounts): Amounts {
  return { consumed, lessBy, moreBy, refilled, unexplained, adjusted, exposureMs };
}

function added(a: Amounts, b: Amounts): Amounts {
  return {
    consumed: a.consumed + b.consumed,
    lessBy: a.lessBy + b.lessBy,
    moreBy: a.moreBy + b.moreBy,
    refilled: a.refilled + b.refilled,
    unexplained: a.unexplained + b.unexplained,
    adjusted: a.adjusted + b.adjusted,
    exposureMs: a.exposureMs + b.exposureMs,
  };
}

function faster(a: number | null, b: number | null): number | null {
  return a === null && b === null ? null : (a ?? 0) + (b ?? 0);
}
