import type { BinEvent, BinModel } from '../core/model.ts';
import { RHYTHM_NAMES, type Rhythm } from '../core/rhythm.ts';
import type { Product, Scale, ScaleEvent, Scenario, Site } from './scenario.ts';

/** Every scale with its site, in the order of the file. */
export function scalesOf(scenario: Scenario): { readonly site: Site; readonly scale: Scale }[] {
  return scenario.sites.flatMap((site) =>
    site.links.flatMap((link) => link.scales.map((scale) => ({ site, scale }))),
  );
}

/** What decides the course of the world, and nothing else. */
export function worldOf(scenario: Scenario): readonly BinModel[] {
  const products = new Map(scenario.products.map((product) => [product.id, product]));
  return scalesOf(scenario).map(({ site, scale }) => {
    const { pieceMassMg, scatterMg = 0 } = products.get(scale.product) ?? {};
    return {
      bin: scale.bin,
      product: scale.product,
      piece: pieceMassMg === undefined ? null : { massMg: pieceMassMg, scatterMg },
      timeZone: site.timeZone,
      stock: scale.stock,
      outflow: outflowOf(scale, scenario),
      ...(scale.events && { events: scale.events.map((event) => eventOf(event, products)) }),
    };
  });
}

function eventOf(event: ScaleEvent, products: ReadonlyMap<string, Product>): BinEvent {
  const { afterS, perDay, quantity, kind } = event;
  const occurrence = { afterS, perDay, durationS: 0 };
  if (kind !== 'swap') return { deed: { kind, quantity }, occurrence };
  const { pieceMassMg, scatterMg = 0 } = products.get(event.to) ?? {};
  const piece = pieceMassMg === undefined ? null : { massMg: pieceMassMg, scatterMg };
  return { deed: { kind, quantity, to: event.to, piece }, occurrence };
}

function outflowOf({ use, ships }: Scale, { rhythms }: Scenario): BinModel['outflow'] {
  const rhythmOf = (name: string): Rhythm => rhythms[name] ?? builtIn(name);
  if (use) return { kind: 'picks', ...use, rhythm: rhythmOf(use.rhythm) };
  if (ships) return { kind: 'shipments', rhythm: rhythmOf(ships.rhythm) };
  return { kind: 'none', rhythm: 'round-the-clock' };
}

function builtIn(name: string): Rhythm {
  const rhythm = RHYTHM_NAMES.find((candidate) => candidate === name);
  if (!rhythm) throw new TypeError('a rhythm of a checked scenario is known');
  return rhythm;
}
