import type { Bin, MovementView, ReadingView } from '../../../src/http/contract.ts';

/** Time and stock in the product's unit; null breaks the line. */
export type Point = readonly [at: number, quantity: number | null];

export interface StockCurve {
  /** As weighed: pieces with fractions, or mg. */
  readonly weighed: readonly Point[];
  /** As counted after each movement. */
  readonly counted: readonly Point[];
  readonly refills: readonly Point[];
  /** Readings that were not good, shown as breaks. */
  readonly notGood: number;
}

/**
 * The course of a bin's stock.
 * @param bin its present setup; readings before it held are left out, since it does not fit them
 * @param readings oldest first
 * @param movements all of the period that begins at `from`, oldest first
 */
export function curveOf(
  bin: Bin,
  readings: readonly ReadingView[],
  movements: readonly MovementView[],
  from: number,
): StockCurve {
  const quantityOf = ({ value, unit, quality }: ReadingView): number | null => {
    if (quality !== 'good' || value === null) return null;
    if (unit === 'count') return value;
    if (unit === 'permille') return null;
    const netMg = value - bin.tareMg;
    return bin.pieceMassMg === null ? netMg : Math.round((netMg / bin.pieceMassMg) * 100) / 100;
  };
  const fitting = readings.filter(({ at }) => at >= bin.since);
  const ofProduct = movements.filter(({ productId }) => productId === bin.productId);
  return {
    weighed: fitting.map((reading) => [reading.at, quantityOf(reading)]),
    counted: countedOf(ofProduct, from, fitting.at(-1)?.at),
    refills: ofProduct
      .filter(({ kind }) => kind === 'refill')
      .map(({ at, closing }) => [at, closing]),
    notGood: fitting.filter(({ quality }) => quality !== 'good').length,
  };
}

/** From the opening stock of the period to the newest reading: in between only movements change it. */
function countedOf(
  movements: readonly MovementView[],
  from: number,
  newest: number | undefined,
): Point[] {
  const [first] = movements;
  const last = movements.at(-1);
  if (first === undefined || last === undefined) return [];
  const points: Point[] = movements.map(({ at, closing }) => [at, closing]);
  if (first.at > from) points.unshift([from, first.closing - first.quantity]);
  if (newest !== undefined && newest > last.at) points.push([newest, last.closing]);
  return points;
}

/**
 * At most `most` points that look like all of them: of each stretch its lowest and its highest,
 * and every break.
 */
export function thinned(points: readonly Point[], most: number): readonly Point[] {
  if (points.length <= most) return points;
  const size = Math.ceil((points.length * 2) / most);
  const kept: Point[] = [];
  for (let start = 0; start < points.length; start += size) {
    kept.push(...extremesOf(points.slice(start, start + size)));
  }
  return kept;
}

function extremesOf(stretch: readonly Point[]): Point[] {
  let low: Point | undefined;
  let high: Point | undefined;
  let gap: Point | undefined;
  for (const point of stretch) {
    const [, quantity] = point;
    if (quantity === null) gap ??= point;
    else {
      if (low?.[1] === undefined || low[1] === null || quantity < low[1]) low = point;
      if (high?.[1] === undefined || high[1] === null || quantity > high[1]) high = point;
    }
  }
  const chosen = [low, high, gap].filter((point) => point !== undefined);
  return [...new Set(chosen)].sort((a, b) => a[0] - b[0]);
}
