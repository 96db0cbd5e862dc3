import type { RemoteSections } from '#shared/wire/config.ts';

/** What is wrong with a configuration, and where. */
export interface Fault {
  readonly path: readonly (string | number)[];
  readonly expected: string;
}

/** What the cloud knows and an agent does not. */
export interface Surroundings {
  /** The agent's. */
  readonly site: string;
  /** The site of every bin that is named. */
  readonly sites: ReadonlyMap<string, string>;
  /** Bins that other agents of the site are wanted to read, and which agent that is. */
  readonly taken: ReadonlyMap<string, string>;
}

/** Faults that the shape does not show; whether a link can be spoken to, only the agent knows. */
export function faultsOf(config: RemoteSections, surroundings: Surroundings): Fault[] {
  return [...secretsIn(config), ...repeated(config), ...bins(config, surroundings)];
}

/** All bins that are named, and where. */
export function binsOf({ links = [] }: RemoteSections): { bin: string; path: Fault['path'] }[] {
  return links.flatMap((link, place) =>
    (['scales', 'sensors'] as const).flatMap((kind) =>
      (link[kind] ?? []).map(({ bin }, index) => {
        return { bin, path: ['links', place, kind, index, 'bin'] };
      }),
    ),
  );
}

function bins(config: RemoteSections, { site, sites, taken }: Surroundings): Fault[] {
  return binsOf(config).flatMap(({ bin, path }) => {
    const at = sites.get(bin);
    if (at === undefined) return [{ path, expected: `a bin of site ${site}; there is no ${bin}` }];
    if (at !== site) {
      return [{ path, expected: `a bin of site ${site}; ${bin} stands at ${at}` }];
    }
    const other = taken.get(bin);
    return other === undefined
      ? []
      : [{ path, expected: `a bin that agent ${other} leaves alone` }];
  });
}

/** The same rules as the agent's, told before anything is sent. */
function repeated(config: RemoteSections): Fault[] {
  const { links = [] } = config;
  const names = links.map(({ name }, place) => ({ value: name, path: ['links', place, 'name'] }));
  const addresses = links.map(({ address }, place) => {
    return { value: address, path: ['links', place, 'address'] };
  });
  const bins = binsOf(config).map(({ bin, path }) => ({ value: bin, path }));
  return [
    ...again(names, 'a name that no other link has'),
    ...again(addresses, 'an address that no other link has: its bins belong to one link'),
    ...again(bins, 'a bin that no other scale has'),
  ];
}

function again(
  named: readonly { readonly value: string; readonly path: Fault['path'] }[],
  expected: string,
): Fault[] {
  const seen = new Set<string>();
  return named.flatMap(({ value, path }) => {
    const isNew = !seen.has(value);
    seen.add(value);
    return isNew ? [] : [{ path, expected }];
  });
}

/** Whoever reads along at the broker or may see agents would read these too. */
function secretsIn({ broker, tls = {} }: RemoteSections): Fault[] {
  const faults: Fault[] = [];
  if (broker !== undefined && /^[^/]*\/\/[^/]*@/.test(broker)) {
    const expected = 'no user name or password: the agent proves itself with its own secret';
    faults.push({ path: ['broker'], expected });
  }
  for (const [key, value] of Object.entries(tls)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (!/-----BEGIN|[\r\n]/.test(text)) continue;
    const expected = 'a path on the gateway, whose contents are never sent';
    faults.push({ path: ['tls', key], expected });
  }
  return faults;
}
