import type { BinId, ProductId } from '#shared/ids.ts';
import type { Occurrence } from './occurrence.ts';
import type { Rhythm } from './rhythm.ts';

/** What the world has to know of one bin. Amounts are in the product's unit: pieces or mg. */
export interface BinModel {
  readonly bin: BinId;
  readonly product: ProductId;
  readonly piece: Piece;
  readonly timeZone: string;
  readonly stock: StockModel;
  readonly outflow: Outflow;
  /** What happens beside picks and refills; absent: nothing. */
  readonly events?: readonly BinEvent[];
}

/** Mass of a piece and its standard deviation; `null` for a bulk product, in mg. */
export type Piece = { readonly massMg: number; readonly scatterMg: number } | null;

/** What somebody does to a bin's content; more than lies there is not taken. */
export type Deed =
  | { readonly kind: 'take' | 'put' | 'theft'; readonly quantity: number }
  | {
      /** Everything out, and another product in. */
      readonly kind: 'swap';
      readonly quantity: number;
      readonly to: ProductId;
      readonly piece: Piece;
    };

export interface BinEvent {
  readonly deed: Deed;
  readonly occurrence: Occurrence;
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
      readonly rhythm: Rhythm;
      readonly perDay: number;
      readonly pickMin: number;
      readonly pickMax: number;
    }
  | { readonly kind: 'shipments'; readonly rhythm: Rhythm }
  /** Nobody takes anything but by the bin's own events. */
  | { readonly kind: 'none'; readonly rhythm: Rhythm };

/** A change of a bin's content; `quantity` and `massMg` are negative for what is taken. */
export interface WorldEvent {
  readonly at: number;
  readonly bin: BinId;
  readonly product: ProductId;
  readonly kind: 'consumption' | 'refill' | 'theft' | 'swap';
  readonly quantity: number;
  readonly massMg: number;
}
