import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '#shared/clock.ts';
import type { Indicator } from '../core/indicator.ts';
import { parityOf, type Link, type Scale, type Scenario, type Site } from '../scenario/scenario.ts';
import { faultyLine, type WirePiece } from './line.ts';
import { type FaultyPlace, type Injection, LinkFaults } from './link-faults.ts';
import { framingOf } from './section.ts';
import { stuckable } from './stuck.ts';

/** Everything between the devices of a scenario and their clients. */
export interface Lines {
  /** @param place `site/link` */
  readonly faultsOf: (place: string) => LinkFaults | undefined;
  /** Serves clients through the link's line. */
  readonly through: (
    site: Site,
    link: Link,
    serve: (client: Duplex) => void,
  ) => (client: Socket) => void;
  /** The indicator of a scale as all see it who look at it: with the faults of its link. */
  seen(scale: Scale, indicator: Indicator): Indicator;
}

export function createLines(options: {
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly onInjected: (injection: Injection) => void;
  readonly onPiece: (place: FaultyPlace, piece: WirePiece) => void;
}): Lines {
  const { scenario, clock, onInjected, onPiece } = options;
  const { seed } = scenario;
  const places = new Map<string, { readonly place: FaultyPlace; readonly faults: LinkFaults }>();
  const ofBin = new Map<string, LinkFaults>();
  const indicators = new Map<string, Indicator>();
  for (const site of scenario.sites) {
    for (const link of site.links) {
      const framing = framingOf(link.protocol);
      const isSevenBits = parityOf(link) !== 'none';
      const place: FaultyPlace = { site: site.id, link: link.name, framing, isSevenBits };
      const faults = new LinkFaults({ place, seed, clock, onInjected });
      places.set(`${site.id}/${link.name}`, { place, faults });
      for (const rule of link.faults) faults.add(null, rule);
      for (const scale of link.scales) {
        ofBin.set(scale.bin, faults);
        for (const rule of scale.faults) faults.add('unit' in scale ? scale.unit : null, rule);
      }
    }
  }
  return {
    faultsOf: (place) => places.get(place)?.faults,
    through(site, link, serve) {
      const known = places.get(`${site.id}/${link.name}`);
      if (!known) throw new RangeError(`no link ${site.id}/${link.name} in this scenario`);
      const { place, faults } = known;
      let open = 0;
      return (client) => {
        const line = faultyLine({
          client,
          faults,
          open,
          onPiece: (piece) => onPiece(place, piece),
        });
        open += 1;
        client.on('close', () => {
          open -= 1;
        });
        if (line) serve(line);
      };
    },
    seen(scale, indicator) {
      const known = indicators.get(scale.bin);
      if (known) return known;
      const faults = ofBin.get(scale.bin);
      const unit = 'unit' in scale ? scale.unit : null;
      const seen = faults ? stuckable(indicator, () => faults.isStuck(unit)) : indicator;
      indicators.set(scale.bin, seen);
      return seen;
    },
  };
}
