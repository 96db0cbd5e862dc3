import { isLineFault, type FaultRule } from '../core/faults.ts';
import { RHYTHM_NAMES } from '../core/rhythm.ts';
import { FLOAT_PROFILES } from '../devices/register-devices.ts';
import { impossibleRules, possibleKinds } from '../faults/section.ts';
import type { Product, Scale, Scenario } from './scenario.ts';

/** A fault that the schema of a single value cannot see. */
interface CrossFault {
  readonly path: readonly (string | number)[];
  readonly expected: string;
}

interface Placed {
  readonly scale: Scale;
  readonly path: readonly (string | number)[];
}

/**
 * Every fault in how the parts of a scenario refer to each other and fit together.
 * @param scenario parts that are faulty by themselves may be holes
 * @param whole with all its parts: to refer to a faulty one is no fault of its own
 */
export function crossCheck(scenario: Scenario, whole: Scenario): CrossFault[] {
  const products = new Map(scenario.products.flatMap((product) => [[product.id, product]]));
  const faulty = idsOf(whole.products).filter((id) => !products.has(id));
  const scales = placedScales(scenario);
  return [
    ...uniqueness(scenario, scales),
    ...scenario.products.flatMap(checkProduct),
    ...checkCustomers(scenario, idsOf(whole.customers)),
    ...scales.flatMap((placed) => checkScale(placed, products, faulty)),
    ...scales.flatMap((placed) => checkRhythm(placed, Object.keys(scenario.rhythms))),
    ...scales.flatMap((placed) => checkEvents(placed, products, faulty)),
    ...checkStores(scales),
    ...checkFaults(scenario),
  ];
}

/** Of parts that may be anything. */
function idsOf<Id>(parts: readonly { readonly id: Id }[]): Id[] {
  return parts.flatMap((part: unknown) =>
    typeof part === 'object' && part !== null && 'id' in part ? [part.id as Id] : [],
  );
}

function placedScales(scenario: Scenario): Placed[] {
  return scenario.sites.flatMap((site, s) =>
    site.links.flatMap((link, l) =>
      link.scales.map((scale, i) => ({
        scale,
        path: ['sites', s, 'links', l, 'scales', i],
      })),
    ),
  );
}

function uniqueness(scenario: Scenario, scales: readonly Placed[]): CrossFault[] {
  const keyed = <Item>(
    items: readonly Item[],
    list: string,
    key: string,
    of: (i: Item) => string,
  ) => duplicates(items.map((item, i) => ({ path: [list, i, key], key: of(item) })));
  const links = scenario.sites.flatMap((site, s) =>
    site.links.map((link, l) => ({ link, path: ['sites', s, 'links', l] })),
  );
  return [
    ...keyed(scenario.customers, 'customers', 'id', (customer) => customer.id),
    ...keyed(scenario.products, 'products', 'id', (product) => product.id),
    ...keyed(scenario.sites, 'sites', 'id', (site) => site.id),
    ...keyed(scenario.sites, 'sites', 'agent', (site) => site.agent),
    ...duplicates(scales.map(({ scale, path }) => ({ path: [...path, 'bin'], key: scale.bin }))),
    ...duplicates(
      links.flatMap(({ link, path }) =>
        link.port === 0 ? [] : [{ path: [...path, 'port'], key: String(link.port) }],
      ),
    ),
    ...scenario.sites.flatMap((site, s) =>
      duplicates(
        site.links.map((link, l) => ({ path: ['sites', s, 'links', l, 'name'], key: link.name })),
      ),
    ),
    ...links.flatMap(({ link, path }) =>
      duplicates(
        link.scales.flatMap((scale, i) =>
          'unit' in scale
            ? [{ path: [...path, 'scales', i, 'unit'], key: String(scale.unit) }]
            : [],
        ),
      ),
    ),
  ];
}

function duplicates(
  items: readonly { readonly path: readonly (string | number)[]; readonly key: string }[],
): CrossFault[] {
  const seen = new Set<string>();
  return items.flatMap(({ path, key }) => {
    if (seen.has(key)) return [{ path, expected: 'one that is not used before' }];
    seen.add(key);
    return [];
  });
}

function checkProduct(product: Product, index: number): CrossFault[] {
  const path = ['products', index];
  if (product.unit === 'piece') {
    if (product.pieceMassMg !== undefined) return [];
    return [{ path: [...path, 'pieceMassMg'], expected: 'the mass of a piece' }];
  }
  return (['pieceMassMg', 'scatterMg'] as const).flatMap((key) =>
    product[key] === undefined
      ? []
      : [{ path: [...path, key], expected: 'no such key for a product in mg' }],
  );
}

function checkCustomers(
  scenario: Scenario,
  ids: readonly Scenario['customers'][number]['id'][],
): CrossFault[] {
  const known = new Set(ids);
  return scenario.sites.flatMap((site, s) =>
    site.customer === null || known.has(site.customer)
      ? []
      : [
          {
            path: ['sites', s, 'customer'],
            expected: `null or one of customers: ${[...known].join(', ')}`,
          },
        ],
  );
}

type Products = ReadonlyMap<Product['id'], Product>;

/** @param faulty products that are there, but not to be looked at */
function checkScale(
  { scale, path }: Placed,
  products: Products,
  faulty: readonly Product['id'][],
): CrossFault[] {
  const product = products.get(scale.product);
  const faults: CrossFault[] = [];
  const fault = (key: readonly string[], expected: string): void => {
    faults.push({ path: [...path, ...key], expected });
  };
  if (scale.use && scale.ships) fault(['use'], 'either use or ships');
  if (!scale.use && !scale.ships && !scale.events) fault(['use'], 'either use or ships, or events');
  if (scale.use && scale.use.pickMax < scale.use.pickMin) {
    fault(['use', 'pickMax'], `at least pickMin, ${scale.use.pickMin}`);
  }
  if (scale.stock.refillAt >= scale.stock.refillTo) {
    fault(['stock', 'refillAt'], `less than refillTo, ${scale.stock.refillTo}`);
  }
  if (
    'countMg' in scale &&
    !FLOAT_PROFILES.has(scale.profile) &&
    scale.divisionMg % scale.countMg !== 0
  ) {
    fault(['countMg'], `a divisor of divisionMg, ${scale.divisionMg}`);
  }
  if (product === undefined) {
    if (!faulty.includes(scale.product)) fault(['product'], 'the id of one of products');
    return faults;
  }
  const most = Math.max(scale.stock.initial, scale.stock.refillTo);
  const fullMg = scale.tareMg + most * (product.pieceMassMg ?? 1);
  if (fullMg > scale.capacityMg) {
    fault(['capacityMg'], `at least tare and full stock, ${fullMg}`);
  }
  return faults;
}

function checkRhythm({ scale, path }: Placed, own: readonly string[]): CrossFault[] {
  const known = [...RHYTHM_NAMES, ...own];
  return (['use', 'ships'] as const).flatMap((key) => {
    const { rhythm } = scale[key] ?? {};
    if (rhythm === undefined || known.includes(rhythm)) return [];
    return [{ path: [...path, key, 'rhythm'], expected: `one of ${known.join(', ')}` }];
  });
}

function checkEvents(
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
    if (event.kind !== 'swap') return faults;
    if ([scale.product, event.to].some((id) => faulty.includes(id))) return faults;
    const [from, to] = [products.get(scale.product), products.get(event.to)];
    if (!to) fault('to', 'the id of one of products');
    else if (to.unit !== from?.unit) fault('to', `a product counted in ${from?.unit}`);
    const fullMg = scale.tareMg + event.quantity * (to?.pieceMassMg ?? 1);
    if (fullMg > scale.capacityMg) {
      fault('quantity', `what fits into the capacity, not ${fullMg} mg with the container`);
    }
    return faults;
  });
}

function checkStores(scales: readonly Placed[]): CrossFault[] {
  return duplicates(
    scales.flatMap(({ scale, path }) =>
      scale.ships ? [{ path: [...path, 'ships'], key: scale.product }] : [],
    ),
  ).map(({ path }) => ({ path, expected: 'only one shipping bin per product' }));
}

/** A fault has to be possible with the protocol, and faults of the line stand at the line. */
function checkFaults(scenario: Scenario): CrossFault[] {
  return scenario.sites.flatMap((site, s) =>
    site.links.flatMap(({ protocol, faults, scales }, l) => {
      const path = ['sites', s, 'links', l];
      const impossible = (rules: readonly FaultRule[], at: CrossFault['path']): CrossFault[] =>
        impossibleRules(protocol, rules).map((place) => ({
          path: [...at, 'faults', place, 'kind'],
          expected: `one of ${possibleKinds(protocol).join(', ')}`,
        }));
      return [
        ...impossible(faults, path),
        ...scales.flatMap((scale, i) => {
          const at = [...path, 'scales', i];
          const ofLine = scale.faults.flatMap(({ kind }, place) =>
            isLineFault(kind)
              ? [{ path: [...at, 'faults', place, 'kind'], expected: 'at the link' }]
              : [],
          );
          return [...impossible(scale.faults, at), ...ofLine];
        }),
      ];
    }),
  );
}
