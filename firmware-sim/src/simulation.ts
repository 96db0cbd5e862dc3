import type { BinId } from '#shared/ids.ts';
import { createIndicator, type Indicator } from './core/indicator.ts';
import { createLoadCell } from './core/load-cell.ts';
import type { BinModel, WorldEvent } from './core/model.ts';
import { createWorld } from './core/world.ts';
import type { Scale, Scenario, Site } from './scenario.ts';

/** The world with a scale under every bin, as it is at the instant last advanced to. */
export interface Simulation {
  advance(to: number): readonly WorldEvent[];
  /** @throws RangeError where there is no such bin */
  indicator(bin: BinId): Indicator;
}

/** @param from when the world begins, ms since 1970 UTC */
export function createSimulation(scenario: Scenario, from: number): Simulation {
  const { seed } = scenario;
  const world = createWorld({ models: worldOf(scenario), seed, from });
  const indicators = new Map<BinId, Indicator>(
    scales(scenario).map(({ scale }) => {
      const cell = createLoadCell({ model: scale, seed, name: scale.bin, from });
      const content = world.content(scale.bin);
      return [scale.bin, createIndicator(scale, () => cell(content, world.now))];
    }),
  );
  return {
    advance: (to) => world.advance(to),
    indicator(bin) {
      const indicator = indicators.get(bin);
      if (!indicator) throw new RangeError(`no bin ${bin} in this scenario`);
      return indicator;
    },
  };
}

function scales(scenario: Scenario): { readonly site: Site; readonly scale: Scale }[] {
  return scenario.sites.flatMap((site) =>
    site.links.flatMap((link) => link.scales.map((scale) => ({ site, scale }))),
  );
}

/** What decides the course of the world, and nothing else. */
export function worldOf(scenario: Scenario): readonly BinModel[] {
  const products = new Map(scenario.products.map((product) => [product.id, product]));
  return scales(scenario).map(({ site, scale }) => {
    const { pieceMassMg, scatterMg = 0 } = products.get(scale.product) ?? {};
    return {
      bin: scale.bin,
      product: scale.product,
      piece: pieceMassMg === undefined ? null : { massMg: pieceMassMg, scatterMg },
      timeZone: site.timeZone,
      stock: scale.stock,
      outflow: outflowOf(scale),
    };
  });
}

function outflowOf({ use, ships }: Scale): BinModel['outflow'] {
  if (use) return { kind: 'picks', ...use };
  if (ships) return { kind: 'shipments', ...ships };
  throw new TypeError('a scale of a checked scenario has use or ships');
}
