import type { Duplex } from 'node:stream';
import type { Indicator } from '../core/indicator.ts';
import { asciiDevice } from '../devices/ascii-devices.ts';
import { sicsDevice } from '../devices/mt-sics.ts';
import { REGISTER_DEVICES } from '../devices/register-devices.ts';
import { sensorDevice } from '../devices/sensors.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';
import { parityOf, type Link, type Scale, type Site } from '../scenario/scenario.ts';
import { serveAscii } from '../transports/ascii.ts';
import { serveModbusRtu } from '../transports/modbus-rtu.ts';
import { serveModbusTcp } from '../transports/modbus-tcp.ts';
import { serveMtSics } from '../transports/mt-sics.ts';
import { sevenBitLine } from '../transports/seven-bits.ts';

/** The world as the devices of a link see it, at the instant they look. */
export interface Surroundings {
  indicatorOf(scale: Scale): Indicator;
  /** What lies in the bin: pieces or mg. */
  quantityOf(scale: Scale): number;
  /** Whether the link or its site's network is away. */
  isAway(site: string, link: string): boolean;
}

/** How often a connection is looked at that must not stand while its link is away. */
const AWAY_CHECK_MS = 100;

/** @returns what serves one client of the link */
export function serverOf(site: Site, link: Link, around: Surroundings): (client: Duplex) => void {
  const isAway = (): boolean => around.isAway(site.id, link.name);
  if (link.protocol === 'modbus-tcp') {
    const units = unitsOf(link.scales, around, () => true);
    const canBeAway = site.outage !== undefined || link.outage !== undefined;
    return (client) => {
      if (canBeAway) dropWhile(isAway, client);
      serveModbusTcp(units, client);
    };
  }
  // Behind a serial device server a line that is away is a silent one.
  if (link.protocol === 'modbus-rtu') {
    const line = { units: unitsOf(link.scales, around, () => !isAway()), baud: link.baud };
    return (client) => serveModbusRtu(line, client);
  }
  const { baud } = link;
  const [scale] = link.scales;
  if (!scale) throw new TypeError('a checked line of ASCII has a scale');
  const model = { ...scale, serial: scale.bin };
  const indicator = around.indicatorOf(scale);
  const isOn = (): boolean => indicator.isOn() && !isAway();
  if (link.protocol === 'mt-sics') {
    const device = sicsDevice(model, indicator);
    return (client) => serveMtSics({ device, baud, isOn }, lineOf(link, client));
  }
  const device = asciiDevice(link, model, indicator);
  const sends = link.protocol === 'toledo' || link.send === 'stream';
  return (client) => serveAscii({ device, baud, sends, isOn }, lineOf(link, client));
}

/** As the device sees it: of a line with parity, its seven bits. */
function lineOf(link: Link, client: Duplex): Duplex {
  const parity = parityOf(link);
  return parity === 'none' ? client : sevenBitLine(client, parity);
}

/** Closes a connection as soon as it stands, and one that stood before. */
function dropWhile(isAway: () => boolean, client: Duplex): void {
  const check = (): void => {
    if (isAway()) client.destroy();
  };
  const timer = setInterval(check, AWAY_CHECK_MS);
  client.on('close', () => clearInterval(timer));
  check();
}

type ModbusScales = Extract<Link, { protocol: 'modbus-tcp' }>['scales'];

/** Units by number; one without power, or on a line that is away, is not there. */
class PoweredUnits extends Map<number, RegisterDevice> {
  readonly #isOn: ReadonlyMap<number, () => boolean>;

  constructor(
    units: readonly [number, RegisterDevice][],
    isOn: ReadonlyMap<number, () => boolean>,
  ) {
    super(units);
    this.#isOn = isOn;
  }

  override get(unit: number): RegisterDevice | undefined {
    // The constructor of Map may ask before there is anything to ask about.
    return this.#isOn.get(unit)?.() === true ? super.get(unit) : undefined;
  }
}

function unitsOf(
  scales: ModbusScales,
  around: Surroundings,
  lineIsOn: () => boolean,
): ReadonlyMap<number, RegisterDevice> {
  const units = scales.map((scale) => {
    const indicator = around.indicatorOf(scale);
    const device =
      'sensor' in scale
        ? sensorDevice(scale.sensor, scale, {
            quantity: () => around.quantityOf(scale),
            display: () => indicator.display(),
          })
        : REGISTER_DEVICES[scale.profile](indicator, scale);
    return { unit: scale.unit, device, isOn: () => lineIsOn() && indicator.isOn() };
  });
  return new PoweredUnits(
    units.map(({ unit, device }) => [unit, device]),
    new Map(units.map(({ unit, isOn }) => [unit, isOn])),
  );
}
