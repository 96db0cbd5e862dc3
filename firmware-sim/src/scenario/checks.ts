import { isLineFault, type FaultRule } from '../core/faults.ts';
import { impossibleRules, possibleKinds } from '../faults/section.ts';
import {
  checkEvents,
  checkRhythm,
  checkScale,
  type CrossFault,
  type Placed,
} from './scale-checks.ts';
import type { Product, Scenario } from './scenario.ts';
import type { SoundScenario } from './sound.ts';

/**
 * Every fault in how the parts of a scenario refer to each other and fit together.
 * @param scenario without what is faulty by itself
 * @param whole with all its parts: to refer to a faulty one is no fault of its own
 */
export function crossCheck(scenario: SoundScenario, whole: Scenario): CrossFault[] {
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

function placedScales(scenario: SoundScenario): Placed[] {
  return scenario.sites.flatMap((site, s) =>
    site.links.flatMap((link, l) =>
      link.scales.map((scale, i) => ({
        scale,
        path: ['sites', s, 'links', l, 'scales', i],
      })),
    ),
  );
}

function uniqueness(scenario: SoundScenario, scales: readonly Placed[]): CrossFault[] {
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
    ...duplicates(
      scales.flatMap(({ scale, path }) =>
        scale.bin === undefined ? [] : [{ path: [...path, 'bin'], key: scale.bin }],
      ),
    ),
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
          'unit' in scale && scale.unit !== undefined
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
  scenario: SoundScenario,
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

function checkStores(scales: readonly Placed[]): CrossFault[] {
  return duplicates(
    scales.flatMap(({ scale, path }) =>
      scale.ships && scale.product ? [{ path: [...path, 'ships'], key: scale.product }] : [],
    ),
  ).map(({ path }) => ({ path, expected: 'only one shipping bin per product' }));
}

/** A fault has to be possible with the protocol, and faults of the line stand at the line. */
function checkFaults(scenario: SoundScenario): CrossFault[] {
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
        ...scales.flatMap(({ faults: rules = [] }, i) => {
          const at = [...path, 'scales', i];
          const ofLine = rules.flatMap(({ kind }, place) =>
            isLineFault(kind)
              ? [{ path: [...at, 'faults', place, 'kind'], expected: 'at the link' }]
              : [],
          );
          return [...impossible(rules, at), ...ofLine];
        }),
      ];
    }),
  );
}
