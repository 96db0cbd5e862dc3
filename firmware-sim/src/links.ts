import { join } from 'node:path';
import type { Indicator } from './core/indicator.ts';
import { sicsDevice } from './devices/mt-sics.ts';
import { REGISTER_DEVICES } from './devices/register-devices.ts';
import type { RegisterDevice } from './modbus/pdu.ts';
import type { Link, ModbusScale, Scale, Scenario, Site } from './scenario.ts';
import { listen, type Listener } from './transports/listener.ts';
import { serveModbusRtu } from './transports/modbus-rtu.ts';
import { serveModbusTcp } from './transports/modbus-tcp.ts';
import { serveMtSics } from './transports/mt-sics.ts';
import { openPty, type PseudoTerminal } from './transports/pty.ts';

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
  readonly indicatorOf: (scale: Scale) => Indicator;
  readonly ptyDir: string | null;
  readonly onPtyLost: (message: string) => void;
}): Promise<OpenLinks> {
  const { scenario, indicatorOf, ptyDir, onPtyLost } = options;
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
      const listener = await openLink(site, link, indicatorOf);
      const { port } = listener;
      const entry: (typeof open)[number] = { listener, pty: null };
      open.push(entry);
      if (ptyDir !== null && link.protocol !== 'modbus-tcp') {
        const path = join(ptyDir, `${site.id}-${link.name}`);
        entry.pty = await openPty({ folder: ptyDir, path, port, onExit: onPtyLost });
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

function openLink(
  site: Site,
  link: Link,
  indicatorOf: (scale: Scale) => Indicator,
): Promise<Listener> {
  const what = `${site.id}/${link.name}`;
  if (link.protocol === 'mt-sics') {
    const [scale] = link.scales;
    if (!scale) throw new TypeError('a checked mt-sics link has a scale');
    const device = sicsDevice({ ...scale, serial: scale.bin }, indicatorOf(scale));
    return listen(what, link.port, (client) => serveMtSics({ device, baud: link.baud }, client));
  }
  const units = unitsOf(link.scales, indicatorOf);
  if (link.protocol === 'modbus-tcp') {
    return listen(what, link.port, (client) => serveModbusTcp(units, client));
  }
  return listen(what, link.port, (client) => serveModbusRtu({ units, baud: link.baud }, client));
}

function unitsOf(
  scales: readonly ModbusScale[],
  indicatorOf: (scale: Scale) => Indicator,
): ReadonlyMap<number, RegisterDevice> {
  return new Map(
    scales.map((scale) => [scale.unit, REGISTER_DEVICES[scale.profile](indicatorOf(scale), scale)]),
  );
}
