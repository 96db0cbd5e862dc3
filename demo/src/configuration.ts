import { stringify } from 'yaml';
import { Failure } from '#shared/failure.ts';
import { loadProfile } from '../../edge-agent/src/scale/profile.ts';
import type { Link, Site } from '../../firmware-sim/src/scenario/scenario.ts';

/** Quiet scales speak up this often; changes are reported at once. */
const HEARTBEAT_S = 300;

export interface Ports {
  readonly http: number;
  readonly broker: number;
}

/** cloud.yaml of the demo. @param dataDir absolute */
export function cloudConfig(dataDir: string, ports: Ports): string {
  return stringify({
    profile: 'embedded',
    dataDir,
    http: { host: '127.0.0.1', port: ports.http },
    broker: { host: '127.0.0.1', port: ports.broker },
  });
}

export interface AgentOptions {
  readonly site: Site;
  readonly secret: string;
  /** Absolute. */
  readonly dataDir: string;
  readonly ports: Ports;
  readonly heartbeatS?: number;
}

/** agent.yaml of one site. */
export function agentConfig(options: AgentOptions): string {
  const { site, secret, dataDir, ports, heartbeatS = HEARTBEAT_S } = options;
  return stringify({
    agent: { id: site.agent, secret },
    broker: `mqtt://127.0.0.1:${ports.broker}`,
    dataDir,
    report: { heartbeatS },
    links: site.links.map(linkConfig),
  });
}

/** RTU runs over TCP here, as behind a serial device server, so that no serial port is needed. */
function linkConfig(link: Link): object {
  const address = `127.0.0.1:${link.port}`;
  if (link.protocol !== 'modbus-tcp' && link.protocol !== 'modbus-rtu') {
    const scales = link.scales.map(({ bin, divisionMg }) => ({ bin, divisionMg }));
    return { name: link.name, protocol: link.protocol, address, scales };
  }
  const protocol = link.protocol === 'modbus-rtu' ? 'modbus-rtu-over-tcp' : link.protocol;
  const scales = link.scales.flatMap((scale) => {
    if ('sensor' in scale) return [];
    const { bin, unit, profile, countMg, divisionMg } = scale;
    // Some indicators say the unit of their weight themselves.
    const counted = loadProfile(profile).unit === undefined ? { countMg } : {};
    return [{ bin, unit, profile, ...counted, divisionMg }];
  });
  const sensors = link.scales.flatMap((scale) => ('sensor' in scale ? [sensorConfig(scale)] : []));
  return { name: link.name, protocol, address, scales, sensors };
}

type Sensor = Extract<Link['scales'][number], { readonly sensor: object }>;

/** What the simulator's level probe gives, see its README: 4 mA where the bin is empty, 20 where full. */
function sensorConfig({ bin, unit, sensor, tareMg, capacityMg, divisionMg }: Sensor): object {
  if (sensor.kind !== 'level') {
    const message = `bin ${bin}: its history is in mg, which a sensor of kind ${sensor.kind} never says; use kind level`;
    throw new Failure('scenario-unfit', message, { retry: 'never' });
  }
  const levels = [
    { at: 4_000, massMg: tareMg },
    { at: 20_000, massMg: capacityMg },
  ];
  return { bin, unit, kind: 'level', table: 'input', address: 0, levels, divisionMg };
}
