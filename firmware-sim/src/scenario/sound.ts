import type { core } from 'zod';
import { singleIssues } from '#shared/config-file.ts';
import type { FaultRule } from '../core/faults.ts';
import type { Link, Scale, Scenario, Site } from './scenario.ts';

type Path = readonly PropertyKey[];

/** Objects may lack any part; a list is a list, but may have holes. */
type WithGaps<T> = T extends string | number | boolean | readonly unknown[] | null | undefined
  ? T
  : { readonly [Key in keyof T]?: WithGaps<T[Key]> | undefined };

/** A part with a fault is `undefined`, so that it can be told from one that is not there. */
export type SoundScale = WithGaps<Scale>;

export interface SoundLink extends Pick<Link, 'name' | 'protocol' | 'port'> {
  readonly faults: readonly FaultRule[];
  readonly scales: readonly SoundScale[];
}

export interface SoundSite extends Omit<Site, 'links'> {
  readonly links: readonly SoundLink[];
}

/** A scenario whose faulty parts are left out: as holes, so that the others stay at their places. */
export interface SoundScenario extends Pick<Scenario, 'customers' | 'products' | 'rhythms'> {
  readonly sites: readonly SoundSite[];
}

/** Where single values are wrong, as the schema found them. A key that is not known spoils nothing. */
export function faultyPaths(issues: readonly core.$ZodRawIssue[]): Path[] {
  return issues
    .map(({ message = '', path = [], ...rest }) => ({ ...rest, message, path }) as core.$ZodIssue)
    .flatMap((issue) => singleIssues(issue) ?? [issue])
    .flatMap(({ code, path }) => (code === 'unrecognized_keys' ? [] : [path]));
}

/** Whether a part with a fault at this place within it cannot be looked at further. */
type Spoils = (place: Path) => boolean;

const always: Spoils = () => true;
const itself: Spoils = (place) => place.length === 0;
/** What a link of no known protocol has on it was never looked at. */
const spoilsLink: Spoils = ([key, ...rest]) =>
  key === undefined || key === 'protocol' || (key === 'scales' && rest.length === 0);
const spoilsSite: Spoils = ([key, ...rest]) =>
  key === undefined || (key === 'links' && rest.length === 0);
const spoilsAll: Spoils = ([key, ...rest]) =>
  key === undefined ||
  (['customers', 'products', 'sites', 'rhythms'].includes(String(key)) && rest.length === 0);

/**
 * What of a faulty scenario can still be checked for how its parts fit together, so that all of its
 * faults are told at once.
 * @param content as the schema left it
 * @param faults paths from `content` on
 * @returns `null` where too much is missing
 */
export function soundParts(content: Scenario, faults: readonly Path[]): SoundScenario | null {
  if (faults.some(spoilsAll)) return null;
  const { customers, products, rhythms, sites } = content;
  return {
    rhythms,
    customers: withHoles(customers, within(faults, 'customers'), always),
    products: withHoles(products, within(faults, 'products'), always),
    sites: soundItems(sites, within(faults, 'sites'), spoilsSite, soundSite),
  };
}

function soundSite(site: Site, faults: readonly Path[]): SoundSite {
  return { ...site, links: soundItems(site.links, within(faults, 'links'), spoilsLink, soundLink) };
}

function soundLink(link: Link, faults: readonly Path[]): SoundLink {
  const { name, protocol, port } = link;
  const rules = within(faults, 'faults');
  return {
    name,
    protocol,
    port,
    faults: rules.some(itself) ? [] : withHoles(link.faults, rules, always),
    scales: soundItems<Scale, SoundScale>(link.scales, within(faults, 'scales'), itself, withGaps),
  };
}

/** Where in this part the faults are that are in it. */
function within(faults: readonly Path[], part: PropertyKey): Path[] {
  return faults.flatMap(([key, ...rest]) => (key === part ? [rest] : []));
}

function soundItems<Item, Sound>(
  items: readonly Item[],
  faults: readonly Path[],
  spoils: Spoils,
  sound: (item: Item, faults: readonly Path[]) => Sound,
): Sound[] {
  return withHoles(items, faults, spoils).map((item, i) => sound(item, within(faults, i)));
}

function withHoles<Item>(items: readonly Item[], faults: readonly Path[], spoils: Spoils): Item[] {
  const kept = [...items];
  for (const index of items.keys()) {
    if (within(faults, index).some(spoils)) Reflect.deleteProperty(kept, index);
  }
  return kept;
}

function withGaps<T>(value: T, faults: readonly Path[]): WithGaps<T> {
  if (faults.length === 0) return value as WithGaps<T>;
  if (Array.isArray(value)) return withHoles(value, faults, always) as WithGaps<T>;
  return Object.fromEntries(
    Object.entries(value as object).map(([key, part]: [string, unknown]) => {
      const inside = within(faults, key);
      return [key, inside.some(itself) ? undefined : withGaps(part, inside)];
    }),
  ) as WithGaps<T>;
}
