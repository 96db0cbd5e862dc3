import { RHYTHM_NAMES } from '../core/rhythm.ts';
import { FLOAT_PROFILES } from '../devices/register-devices.ts';
import type { Product } from './scenario.ts';
import type { SoundScale } from './sound.ts';

/** A fault that the schema of a single value cannot see. */
export interface CrossFault {
  readonly path: readonly (string | number)[];
  readonly expected: string;
}

/** A scale, and where it stands in the scenario. */
export interface Placed {
  readonly scale: SoundScale;
  readonly path: readonly (string | number)[];
}

type Products = ReadonlyMap<Product['id'], Product>;

/**
 * How the values of one scale fit together.
 * @param faulty products that are there, but not to be looked at
 */
export function checkScale(
  { scale, path }: Placed,
  products: Products,
  faulty: readonly Product['id'][],
): CrossFault[] {
  const faults: CrossFault[] = [];
  const fault = (key: readonly string[], expected: string): void => {
    faults.push({ path: [...path, ...key], expected });
  };
  const { use, ships, stock, product: id } = scale;
  if (use && ships) fault(['use'], 'either use or ships');
  if (!OUTFLOWS.some((key) => key in scale)) fault(['use'], 'either use or ships, or events');
  if (isBelow(use?.pickMax, use?.pickMin)) {
    fault(['use', 'pickMax'], `at least pickMin, ${use?.pickMin}`);
  }
  if (stock?.refillAt !== undefined && !isBelow(stock.refillAt, stock.refillTo ?? Infinity)) {
    fault(['stock', 'refillAt'], `less than refillTo, ${stock.refillTo}`);
  }
  if (!isDivided(scale)) fault(['countMg'], `a divisor of divisionMg, ${scale.divisionMg}`);
  const product = id && products.get(id);
  if (id && !product && !faulty.includes(id)) fault(['product'], 'the id of one of products');
  const fullMg = product && fullMassMg(scale, product);
  if (isBelow(scale.capacityMg, fullMg)) {
    fault(['capacityMg'], `at least tare and full stock, ${fullMg}`);
  }
  return faults;
}

/** One of these a scale has. */
const OUTFLOWS = ['use', 'ships', 'events'] as const;

/** Of values that are there both. */
function isBelow(value: number | undefined, limit: number | undefined): boolean {
  return value !== undefined && limit !== undefined && value < limit;
}

/** A register of whole counts can show every division. */
function isDivided(scale: SoundScale): boolean {
  if (!('countMg' in scale)) return true;
  const { profile, countMg, divisionMg } = scale;
  if (profile === undefined || countMg === undefined || divisionMg === undefined) return true;
  return FLOAT_PROFILES.has(profile) || divisionMg % countMg === 0;
}

/** @returns the container with all that may lie in it, mg; `undefined` where that is not known */
function fullMassMg({ tareMg, stock }: SoundScale, product: Product): number | undefined {
  const { initial = 0, refillTo = 0 } = stock ?? {};
  const most = Math.max(initial, refillTo);
  return tareMg === undefined ? undefined : tareMg + most * (product.pieceMassMg ?? 1);
}

/** A rhythm is built in or the scenario's own. */
export function checkRhythm({ scale, path }: Placed, own: readonly string[]): CrossFault[] {
  const known = [...RHYTHM_NAMES, ...own];
  return (['use', 'ships'] as const).flatMap((key) => {
    const { rhythm } = scale[key] ?? {};
    if (rhythm === undefined || known.includes(rhythm)) return [];
    return [{ path: [...path, key, 'rhythm'], expected: `one of ${known.join(', ')}` }];
  });
}

/** What happens has to have a time, and to fit the product and the container. */
export function checkEvents(
  { scale, path }: Placed,
  products: Products,
  faulty: readonly Product['id'][],
): CrossFault[] {
  return (scale.events ?? []).flatMap((event, i) => {
    const faults: CrossFault[] = [];
    const fault = (key: string, expected: string): void => {
      faults.push({ path: [...path, 'events', i, key], expected });
    };
    if (event.afterS === undefined && event.perDay === undefined) {
      fault('afterS', 'afterS (seconds from the start of live readings) or perDay');
    }
    const { product, tareMg, capacityMg } = scale;
    if (event.kind !== 'swap' || product === undefined) return faults;
    if ([product, event.to].some((id) => faulty.includes(id))) return faults;
    const [from, to] = [products.get(product), products.get(event.to)];
    if (!to) fault('to', 'the id of one of products');
    else if (from && to.unit !== from.unit) fault('to', `a product counted in ${from.unit}`);
    const fullMg =
      tareMg === undefined ? undefined : tareMg + event.quantity * (to?.pieceMassMg ?? 1);
    if (isBelow(capacityMg, fullMg)) {
      fault('quantity', `what fits into the capacity, not ${fullMg} mg with the container`);
    }
    return faults;
  });
}
