import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Indicator } from './core/indicator.ts';
import { asciiDevice } from './devices/ascii-devices.ts';
import { sicsDevice } from './devices/mt-sics.ts';
import { REGISTER_DEVICES } from './devices/register-devices.ts';
import type { RegisterDevice } from './modbus/pdu.ts';
import type { Link, ModbusScale, Scale, Scenario, Site } from './scenario.ts';
import { serveAscii } from './transports/ascii.ts';
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
  const serve = serverOf(link, indicatorOf);
  return listen(`${site.id}/${link.name}`, link.port, serve);
}

function serverOf(link: Link, indicatorOf: (scale: Scale) => Indicator): (client: Socket) => void {
  if (link.protocol === 'modbus-tcp') {
    const units = unitsOf(link.scales, indicatorOf);
    return (client) => serveModbusTcp(units, client);
  }
  if (link.protocol === 'modbus-rtu') {
    const line = { units: unitsOf(link.scales, indicatorOf), baud: link.baud };
    return (client) => serveModbusRtu(line, client);
  }
  const { baud } = link;
  const [scale] = link.scales;
  if (!scale) throw new TypeError('a checked line of ASCII has a scale');
  const model = { ...scale, serial: scale.bin };
  const indicator = indicatorOf(scale);
  if (link.protocol === 'mt-sics') {
    const device = sicsDevice(model, indicator);
    return (client) => serveMtSics({ device, baud }, client);
  }
  const device = asciiDevice(link, model, indicator);
  const sends = link.protocol === 'toledo' || link.send === 'stream';
  return (client) => serveAscii({ device, baud, sends }, client);
}

function unitsOf(
  scales: readonly ModbusScale[],
  indicatorOf: (scale: Scale) => Indicator,
): ReadonlyMap<number, RegisterDevice> {
  return new Map(
    scales.map((scale) => [scale.unit, REGISTER_DEVICES[scale.profile](indicatorOf(scale), scale)]),
  );
}
