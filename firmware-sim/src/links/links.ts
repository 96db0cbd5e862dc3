import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Link, Scenario, Site } from '../scenario/scenario.ts';
import { listen, type Listener } from '../transports/listener.ts';
import { openPty, type PseudoTerminal } from '../transports/pty.ts';
import { serverOf, type Surroundings } from './server.ts';

/** A link that can be reached. */
export interface OpenLink {
  readonly site: string;
  readonly link: string;
  readonly protocol: Link['protocol'];
  readonly port: number;
  /** Where it is also a pseudo-terminal. */
  readonly path: string | null;
}

export interface OpenLinks {
  readonly links: readonly OpenLink[];
  close(): Promise<void>;
}

/**
 * Opens every link of a scenario, or none.
 * @param ptyDir where serial links are offered as pseudo-terminals too, `<site>-<link>`
 * @throws Failure `port-unavailable`, `pty-unavailable`
 */
export async function openLinks(options: {
  readonly scenario: Scenario;
  readonly around: Surroundings;
  /** Serves the clients of a link through the line between them and its devices. */
  readonly through: (
    site: Site,
    link: Link,
    serve: (client: Duplex) => void,
  ) => (client: Socket) => void;
  readonly ptyDir: string | null;
  readonly onPtyLost: (message: string) => void;
}): Promise<OpenLinks> {
  const { scenario, around, through, ptyDir, onPtyLost } = options;
  const open: { readonly listener: Listener; pty: PseudoTerminal | null }[] = [];
  const links: OpenLink[] = [];
  const close = async (): Promise<void> => {
    for (const { listener, pty } of open) {
      await pty?.close();
      await listener.close();
    }
  };
  try {
    for (const { site, link } of linksOf(scenario)) {
      const serve = through(site, link, serverOf(site, link, around));
      const listener = await listen(`${site.id}/${link.name}`, link.port, serve);
      const { port } = listener;
      const entry: (typeof open)[number] = { listener, pty: null };
      open.push(entry);
      if (ptyDir !== null && link.protocol !== 'modbus-tcp') {
        const path = join(ptyDir, `${site.id}-${link.name}`);
        entry.pty = await openPty({ folder: ptyDir, path, port, onUnplugged: onPtyLost });
      }
      const { name, protocol } = link;
      links.push({ site: site.id, link: name, protocol, port, path: entry.pty?.path ?? null });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { links, close };
}

function linksOf(scenario: Scenario): { readonly site: Site; readonly link: Link }[] {
  return scenario.sites.flatMap((site) => site.links.map((link) => ({ site, link })));
}
