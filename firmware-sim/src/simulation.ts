import type { BinId } from '#shared/ids.ts';
import type { BinContent } from './core/bin-state.ts';
import { createIndicator, type Indicator } from './core/indicator.ts';
import { createLoadCell } from './core/load-cell.ts';
import type { BinEvent, BinModel, Deed, WorldEvent } from './core/model.ts';
import type { Era } from './core/occurrence.ts';
import { RHYTHM_NAMES, type Rhythm } from './core/rhythm.ts';
import { createWorld, type HandDeed } from './core/world.ts';
import { incidentsOf, outagesOf, type TruthEvent } from './incidents.ts';
import type { Product, Scale, Scenario, ScaleEvent, Site } from './scenario.ts';

/** The world with a scale under every bin, as it is at the instant last advanced to. */
export interface Simulation {
  /** The instant last advanced to, ms since 1970 UTC. */
  readonly now: number;
  /** What came to pass up to and including `to`, in order. */
  advance(to: number): readonly TruthEvent[];
  /** @throws RangeError where there is no such bin */
  indicator(bin: BinId): Indicator;
  /** @throws RangeError where there is no such bin */
  content(bin: BinId): BinContent;
  /** Somebody puts, takes, steals or swaps something now. @throws RangeError as above */
  act(bin: BinId, deed: Deed): readonly WorldEvent[];
  /** Whether the network of a site, or one link of it, is away now. */
  isAway(site: string, link: string): boolean;
}

/** @param byHand what was done by hand in earlier runs of the same world */
export function createSimulation(
  scenario: Scenario,
  era: Era,
  byHand: readonly HandDeed[] = [],
): Simulation {
  const { seed } = scenario;
  const world = createWorld({ models: worldOf(scenario), seed, era, byHand });
  const indicators = new Map<BinId, Indicator>(
    scales(scenario).map(({ scale }) => {
      const { outage } = scale;
      const model = { ...scale, cell: { ...scale.cell, ...(outage && { outage }) } };
      const cell = createLoadCell({ model, seed, name: scale.bin, era });
      const content = world.content(scale.bin);
      const indicator = createIndicator(scale, () => cell(content, world.now));
      // A history asks this ten times a minute: only where the power can fail is the cell asked.
      return [scale.bin, outage ? indicator : { ...indicator, isOn: () => true }];
    }),
  );
  const touched = touchedIndicators(scenario, indicators);
  const outages = outagesOf(scenario, era);
  const incidents = incidentsOf(scenario, era);
  let told = era.from - 1;
  return {
    get now() {
      return world.now;
    },
    advance(to) {
      const events: TruthEvent[] = [...world.advance(to)];
      const happened = incidents.flatMap((incident) => incident(told, to));
      told = Math.max(told, to);
      for (const indicator of touched) indicator.display();
      if (happened.length === 0) return events;
      return [...events, ...happened].sort((a, b) => a.at - b.at);
    },
    indicator(bin) {
      const indicator = indicators.get(bin);
      if (!indicator) throw new RangeError(`no bin ${bin} in this scenario`);
      return indicator;
    },
    content: (bin) => world.content(bin),
    act: (bin, deed) => world.act(bin, deed),
    isAway: (site, link) =>
      [site, `${site}/${link}`].some((name) => Boolean(outages.get(name)?.at(world.now))),
  };
}

/** Those that change when time passes, also while no client looks at them: keys, a value that sticks. */
function touchedIndicators(
  scenario: Scenario,
  indicators: ReadonlyMap<BinId, Indicator>,
): readonly Indicator[] {
  return scales(scenario).flatMap(({ scale: { bin, cell } }) => {
    const indicator = indicators.get(bin);
    const isTouched = cell && (cell.tare ?? cell.zero ?? cell.clear ?? cell.stuck) !== undefined;
    return indicator && isTouched ? [indicator] : [];
  });
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
