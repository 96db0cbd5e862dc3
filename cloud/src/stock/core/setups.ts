import type { ProductId } from '#shared/ids.ts';

/** What a bin holds from `since` on, until its next setup. */
export interface Setup {
  /** ms since 1970 UTC */
  readonly since: number;
  readonly productId: ProductId;
  /** Mass of the empty container. */
  readonly tareMg: number;
  /** Nominal mass of a piece as this bin has it; null for bulk products. */
  readonly pieceMassMg: number | null;
}

/**
 * The setup in force at a time; for a time before the first one, the first.
 * @param setups of one bin, oldest first, at least one
 */
export function setupAt(setups: readonly Setup[], at: number): Setup {
  const [first] = setups;
  if (first === undefined) throw new RangeError('a bin has at least one setup');
  return setups.findLast(({ since }) => since <= at) ?? first;
}

/**
 * The setup that holds from `since` until the next one, if there is one.
 * @param product what the bin holds then; a bin that keeps its product keeps its piece mass too, and
 *   takes the nominal one of a new product
 * @returns the setup to be written; `undefined` where it would change nothing
 */
export function changedSetup(
  setups: readonly Setup[],
  since: number,
  product: { readonly id: ProductId; readonly pieceMassMg: number | null },
  given: { readonly tareMg: number | undefined; readonly pieceMassMg: number | undefined },
): Setup | undefined {
  const before = setupAt(setups, since);
  const kept = product.id === before.productId ? before.pieceMassMg : product.pieceMassMg;
  const setup: Setup = {
    since,
    productId: product.id,
    tareMg: given.tareMg ?? before.tareMg,
    pieceMassMg: given.pieceMassMg ?? kept,
  };
  const same =
    before.since <= since &&
    before.productId === setup.productId &&
    before.tareMg === setup.tareMg &&
    before.pieceMassMg === setup.pieceMassMg;
  return same ? undefined : setup;
}
