import type { MovementView, ReadingView, Setup } from '../../../src/http/contract.ts';

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
 * The course of a bin's stock, as far back as it held the product it holds now.
 * @param productId what it holds now
 * @param setups what it held from when on, oldest first: each reading is understood by its own
 * @param readings oldest first
 * @param movements all of the period that begins at `from`, oldest first
 */
export function curveOf(told: {
  readonly productId: string;
  readonly setups: readonly Setup[];
  readonly readings: readonly ReadingView[];
  readonly movements: readonly MovementView[];
  readonly from: number;
}): StockCurve {
  const understood = told.readings.flatMap((reading) => {
    const setup = told.setups.findLast(({ since }) => since <= reading.at);
    return setup?.productId === told.productId ? [{ reading, setup }] : [];
  });
  const movements = told.movements.filter(({ productId }) => productId === told.productId);
  return {
    weighed: understood.map(({ reading, setup }) => [reading.at, quantityOf(reading, setup)]),
    counted: countedOf(movements, told.from, understood.at(-1)?.reading.at),
    refills: movements
      .filter(({ kind }) => kind === 'refill')
      .map(({ at, closing }) => [at, closing]),
    notGood: understood.filter(({ reading }) => reading.quality !== 'good').length,
  };
}

function quantityOf({ value, unit, quality }: ReadingView, setup: Setup): number | null {
  if (quality !== 'good' || value === null) return null;
  if (unit === 'count') return value;
  if (unit === 'permille') return null;
  const netMg = value - setup.tareMg;
  return setup.pieceMassMg === null ? netMg : Math.round((netMg / setup.pieceMassMg) * 100) / 100;
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
  // Before its very first movement a bin was not empty but unknown.
  if (first.ordinal > 1 && first.at > from) {
    points.unshift([from, first.closing - first.quantity]);
  }
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
