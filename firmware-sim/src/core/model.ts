import type { BinId, ProductId } from '#shared/ids.ts';
import type { RhythmName } from './rhythm.ts';

/** What the world has to know of one bin. Amounts are in the product's unit: pieces or mg. */
export interface BinModel {
  readonly bin: BinId;
  readonly product: ProductId;
  /** Nominal mass of a piece and its standard deviation; `null` for a bulk product, in mg. */
  readonly piece: { readonly massMg: number; readonly scatterMg: number } | null;
  readonly timeZone: string;
  readonly stock: StockModel;
  readonly outflow: Outflow;
}

interface StockModel {
  readonly initial: number;
  readonly refillAt: number;
  readonly refillTo: number;
  readonly refillDelayH: number;
}

/** People pick by a rhythm, or the bin is a store from which other bins' refills are shipped. */
type Outflow =
  | {
      readonly kind: 'picks';
      readonly rhythm: RhythmName;
      readonly perDay: number;
      readonly pickMin: number;
      readonly pickMax: number;
    }
  | { readonly kind: 'shipments'; readonly rhythm: RhythmName };

/** A change of a bin's content; `quantity` and `massMg` are negative for consumption. */
export interface WorldEvent {
  readonly at: number;
  readonly bin: BinId;
  readonly product: ProductId;
  readonly kind: 'consumption' | 'refill';
  readonly quantity: number;
  readonly massMg: number;
}
