import type { WorldEvent } from '../core/model.ts';
import { occurrencesOf, type Era, type Occurrence, type Occurrences } from '../core/occurrence.ts';
import { keyOf } from '../core/random.ts';
import type { Scale, Scenario } from '../scenario/scenario.ts';

/** What befell a device, a link or a site from `at` until `until`; no content changed by it. */
export interface Incident {
  readonly at: number;
  readonly until: number;
  readonly kind: string;
  readonly site: string;
  readonly link?: string;
  readonly bin?: string;
}

export type TruthEvent = WorldEvent | Incident;

const durations = (part: object | undefined): part is Occurrence =>
  part !== undefined && 'durationS' in part;

/** When links, by `site/link`, and sites are away. */
export function outagesOf(scenario: Scenario, era: Era): ReadonlyMap<string, Occurrences> {
  const { seed } = scenario;
  const of = (name: string, occurrence: Occurrence): [string, Occurrences] => [
    name,
    occurrencesOf({ occurrence, key: keyOf(seed, name, 'outage'), era }),
  ];
  return new Map(
    scenario.sites.flatMap((site) => [
      ...(site.outage ? [of(site.id, site.outage)] : []),
      ...site.links.flatMap((link) =>
        link.outage ? [of(`${site.id}/${link.name}`, link.outage)] : [],
      ),
    ]),
  );
}

/** Tells what begins in (after, to], of everything that can befall devices, links and sites. */
export function incidentsOf(scenario: Scenario, era: Era): readonly Told[] {
  const outages = outagesOf(scenario, era);
  return scenario.sites.flatMap(({ id: site, links }) => [
    ...told(outages.get(site), { kind: 'outage', site }),
    ...links.flatMap(({ name: link, scales }) => [
      ...told(outages.get(`${site}/${link}`), { kind: 'outage', site, link }),
      ...scales.flatMap((scale) =>
        behaviourOf(scale).flatMap(([kind, occurrence]) => {
          const key = keyOf(scenario.seed, scale.bin, kind);
          const occurrences = occurrencesOf({ occurrence, key, era });
          return told(occurrences, { kind, site, link, bin: scale.bin });
        }),
      ),
    ]),
  ]);
}

type Told = (after: number, to: number) => Incident[];

function told(
  occurrences: Occurrences | undefined,
  what: Omit<Incident, 'at' | 'until'>,
): readonly Told[] {
  if (!occurrences) return [];
  return [
    (after, to) =>
      occurrences
        .between(after, to)
        .map(({ from, to: until }) => ({ at: from, until: Math.round(until), ...what })),
  ];
}

/** The parts of a scale's behaviour that come and go; the same keys as in its load cell. */
function behaviourOf(scale: Scale): [kind: string, occurrence: Occurrence][] {
  return Object.entries({ ...scale.cell, outage: scale.outage }).flatMap(([kind, part]) =>
    durations(part) ? [[kind, part]] : [],
  );
}
