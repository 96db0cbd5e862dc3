import type { Customer, Site, StockView } from '../../../src/http/contract.ts';
import { daysLeftOf, daysRank, LOW_DAYS, type DaysLeft } from '../figures/days-left.ts';

/** One bin's stock with the names of where it is, and how long it lasts. */
export interface StockRow {
  readonly stock: StockView;
  readonly customer: string;
  readonly site: string;
  readonly left: DaysLeft;
  readonly stale: boolean;
  readonly attention: readonly Attention[];
}

/** Why somebody should look: its source is not healthy, it is empty, or it soon will be. */
export type Attention = 'source' | 'empty' | 'low';

export function attentionOf(stock: StockView, left: DaysLeft): Attention[] {
  const reasons: Attention[] = [];
  if (stock.health !== 'ok') reasons.push('source');
  if (stock.quantity !== null && stock.quantity <= 0) reasons.push('empty');
  else if (left.kind === 'days' && left.days < LOW_DAYS) reasons.push('low');
  return reasons;
}

/**
 * @param from `perDay`: speed by bin, in the bin's unit per day of exposure;
 *   an id without a name is shown as it is; no customers where all bins are one's own
 */
export function rowsOf(from: {
  readonly stock: readonly StockView[];
  readonly sites: readonly Site[];
  readonly customers: readonly Customer[] | null;
  readonly perDay: ReadonlyMap<string, number | null>;
}): StockRow[] {
  const siteNames = new Map(from.sites.map(({ id, name }) => [id, name]));
  const customerNames = new Map((from.customers ?? []).map(({ id, name }) => [id, name]));
  return from.stock.map((stock) => {
    const left = daysLeftOf(stock.quantity, from.perDay.get(stock.binId) ?? null);
    return {
      stock,
      customer:
        from.customers === null || stock.customerId === null
          ? ''
          : (customerNames.get(stock.customerId) ?? stock.customerId),
      site: siteNames.get(stock.siteId) ?? stock.siteId,
      left,
      stale: stock.health !== 'ok',
      attention: attentionOf(stock, left),
    };
  });
}

export interface StockFilter {
  readonly customerId?: string | undefined;
  readonly siteId?: string | undefined;
  readonly productId?: string | undefined;
  readonly attention?: boolean | undefined;
  /** Words that all must occur in names or ids. */
  readonly search?: string | undefined;
}

const fits = (wanted: string | undefined, id: string | null): boolean =>
  wanted === undefined || wanted === id;

export function filterRows(rows: readonly StockRow[], filter: StockFilter): StockRow[] {
  const words = (filter.search ?? '').toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(({ stock, customer, site, attention }) => {
    if (!fits(filter.customerId, stock.customerId)) return false;
    if (!fits(filter.siteId, stock.siteId)) return false;
    if (!fits(filter.productId, stock.productId)) return false;
    if (filter.attention === true && attention.length === 0) return false;
    const text = [customer, site, stock.binName, stock.binId, stock.productName, stock.productId]
      .join(' ')
      .toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export const STOCK_ORDERS = ['place', 'product', 'fill', 'left', 'age'] as const;
export type StockOrder = (typeof STOCK_ORDERS)[number];

export const fillOf = ({ massMg, capacityMg }: StockView): number | null =>
  massMg === null ? null : Math.min(1, Math.max(0, massMg / capacityMg));

/** What needs attention first comes first; never measured bins stand at the worrying end. */
export function sortRows(
  rows: readonly StockRow[],
  order: StockOrder,
  descending: boolean,
  compare: (a: string, b: string) => number,
): StockRow[] {
  const byPlace = (a: StockRow, b: StockRow) =>
    compare(a.customer, b.customer) ||
    compare(a.site, b.site) ||
    compare(a.stock.binName, b.stock.binName);
  const first: Record<StockOrder, (a: StockRow, b: StockRow) => number> = {
    place: byPlace,
    product: (a, b) => compare(a.stock.productName, b.stock.productName),
    fill: (a, b) => (fillOf(a.stock) ?? -1) - (fillOf(b.stock) ?? -1),
    left: (a, b) => daysRank(a.left) - daysRank(b.left),
    age: (a, b) => (b.stock.readAt ?? 0) - (a.stock.readAt ?? 0),
  };
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => sign * first[order](a, b) || byPlace(a, b));
}
