import type { Link, Scale, Scenario, Site } from './scenario.ts';

type Path = readonly PropertyKey[];

/** What is wrong with a single value, as the schema found it. */
interface Issue {
  readonly code?: string | undefined;
  readonly path?: Path | undefined;
}

/** Whether a part with a fault at this place within it cannot be looked at further. */
type Spoils = (place: Path) => boolean;

const always: Spoils = () => true;
/** Scales are looked at one by one; a port, for one, concerns nobody else. */
const spoilsLink: Spoils = ([key, ...rest]) =>
  key === undefined ||
  key === 'protocol' ||
  key === 'faults' ||
  (key === 'scales' && rest.length === 0);
const spoilsSite: Spoils = ([key, ...rest]) =>
  key === undefined || (key === 'links' && rest.length === 0);
const spoilsAll: Spoils = ([key, ...rest]) =>
  key === undefined ||
  (['customers', 'products', 'sites', 'rhythms'].includes(String(key)) && rest.length === 0);

/**
 * What of a faulty scenario can still be checked for how its parts fit together, so that all of its
 * faults are told at once: parts with a fault of their own are holes, the others stay at their places.
 * @param content as the schema left it
 * @returns `null` where too much is missing
 */
export function soundParts(content: Scenario, issues: readonly Issue[]): Scenario | null {
  // A key that is not known spoils nothing.
  const faults = issues.flatMap(({ code, path = [] }) =>
    code === 'unrecognized_keys' ? [] : [path],
  );
  const within = (at: Path): Path[] =>
    faults.flatMap((path) =>
      at.every((step, depth) => path[depth] === step) ? [path.slice(at.length)] : [],
    );
  function sound<Part>(parts: readonly Part[], at: Path, spoils: Spoils): Part[] {
    const kept = [...parts];
    for (const index of parts.keys()) {
      if (within([...at, index]).some(spoils)) Reflect.deleteProperty(kept, index);
    }
    return kept;
  }
  if (within([]).some(spoilsAll)) return null;
  const linkOf = (link: Link, at: Path): Link => {
    const scales: Scale[] = sound<Scale>(link.scales, [...at, 'scales'], always);
    return { ...link, scales } as Link;
  };
  const siteOf = (site: Site, at: Path): Site => ({
    ...site,
    links: sound(site.links, [...at, 'links'], spoilsLink).map((link, l) =>
      linkOf(link, [...at, 'links', l]),
    ),
  });
  return {
    ...content,
    customers: sound(content.customers, ['customers'], always),
    products: sound(content.products, ['products'], always),
    sites: sound(content.sites, ['sites'], spoilsSite).map((site, s) => siteOf(site, ['sites', s])),
  };
}
