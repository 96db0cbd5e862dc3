import type { BinId } from '#shared/ids.ts';
import type { BinContent } from '../core/bin-state.ts';
import { createIndicator, type Indicator } from '../core/indicator.ts';
import { createLoadCell } from '../core/load-cell.ts';
import type { Deed, WorldEvent } from '../core/model.ts';
import type { Era } from '../core/occurrence.ts';
import { createWorld, type HandDeed } from '../core/world.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { scalesOf, worldOf } from '../scenario/world.ts';
import { incidentsOf, outagesOf, type TruthEvent } from '../truth/incidents.ts';

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
    scalesOf(scenario).map(({ scale }) => {
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
  return scalesOf(scenario).flatMap(({ scale: { bin, cell } }) => {
    const indicator = indicators.get(bin);
    const isTouched = cell && (cell.tare ?? cell.zero ?? cell.clear ?? cell.stuck) !== undefined;
    return indicator && isTouched ? [indicator] : [];
  });
}
