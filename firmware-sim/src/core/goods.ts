import type { BinModel } from './model.ts';
import type { Stream } from './random.ts';

interface Bin {
  readonly model: BinModel;
  readonly random: Stream;
  readonly quantity: number;
  readonly massMg: number;
}

/** What is put into a bin or taken from it. */
export interface Goods {
  /** Pieces or mg. */
  readonly quantity: number;
  readonly massMg: number;
}

export const negated = (goods: Goods): Goods => ({
  quantity: -goods.quantity,
  massMg: -goods.massMg,
});

/** New goods from outside: pieces scatter about their nominal mass. */
export function newGoods({ model, random }: Bin, quantity: number): Goods {
  const { piece } = model;
  if (piece === null) return { quantity, massMg: quantity };
  const scatterMg = piece.scatterMg * Math.sqrt(quantity) * random.normal();
  return { quantity, massMg: Math.max(quantity, Math.round(quantity * piece.massMg + scatterMg)) };
}

/**
 * `quantity` of the bin's pieces, at random: given that N pieces weigh M in total, n of them weigh
 * nM/N with a variance of scatter² n(N−n)/N, so the last pick leaves exactly nothing.
 */
export function takenGoods({ model, random, quantity: all, massMg }: Bin, quantity: number): Goods {
  const { piece } = model;
  if (piece === null) return { quantity, massMg: quantity };
  if (quantity === all) return { quantity, massMg };
  const deviation = piece.scatterMg * Math.sqrt((quantity * (all - quantity)) / all);
  const drawn = Math.round((quantity * massMg) / all + deviation * random.normal());
  return { quantity, massMg: Math.min(massMg - (all - quantity), Math.max(quantity, drawn)) };
}
