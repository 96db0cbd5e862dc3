import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { systemClock } from '#shared/clock.ts';
import { agentId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import type { LinkStatus, SlaveStatus } from '../../../edge-agent/src/status/report.ts';
import { askStatus } from '../../../edge-agent/src/status/socket.ts';
import { aedesBroker } from '../../../edge-agent/src/testing/brokers.ts';
import { CloudPeer } from '../../../edge-agent/src/testing/cloud-peer.ts';
import { startSimulator, type RunningSimulator } from '../../../firmware-sim/src/run.ts';
import { parseScenario, type Scenario } from '../../../firmware-sim/src/scenario/scenario.ts';
import { Program } from '../program.ts';
import { CAPACITY_MG, DIVISION_MG, TARE_MG, type Wiring } from './wirings.ts';

const AGENT_MAIN = join(import.meta.dirname, '../../../edge-agent/src/main.ts');
const SITE = 'site';
const POLL_MS = 200;

/** A link of a site, by a name of its own. */
export interface SiteLink {
  readonly name: string;
  readonly wiring: Wiring;
  /** Over a pseudo-terminal. */
  readonly isSerial?: boolean;
}

/** What a bin's readings may say: the truth before goods were put, and after. */
export interface Truth {
  readonly before: number;
  readonly after: number;
  readonly tolerance: number;
}

/** The real agent before simulated scales, with a cloud that keeps what it sends. */
export interface FaultySite {
  readonly simulator: RunningSimulator;
  readonly peer: CloudPeer;
  readonly truth: ReadonlyMap<string, Truth>;
  binsOf(link: string): readonly string[];
  /** Puts goods into every bin. */
  put(): void;
  links(): Promise<ReadonlyMap<string, LinkStatus>>;
  /** Everything that the agent logged. */
  log(): string;
  close(): Promise<void>;
}

const binOf = (link: string, place: number): string => `${link}-${place + 1}`;

const PIECES = { before: 100, put: 7, full: 1_000 };
/** So far apart that no two bins of a site weigh the same. */
const STEP_MG = 15 * DIVISION_MG;
const PUT_MG = 500 * DIVISION_MG + 7 * STEP_MG;

const isCounted = (served: Readonly<Record<string, unknown>>): boolean =>
  served['product'] === 'clamp';

/** A world where nothing moves by itself, without noise: every bin weighs something else. */
function scenarioOf(links: readonly SiteLink[]): Scenario {
  let bins = 0;
  const world = {
    name: 'faulty',
    seed: 7,
    historyDays: 1,
    customers: [{ id: 'customer', name: 'Customer' }],
    products: [
      { id: 'sand', name: 'Blasting sand', unit: 'mg' },
      { id: 'clamp', name: 'Hose clamp', unit: 'piece', pieceMassMg: 20_000, scatterMg: 0 },
    ],
    sites: [
      {
        id: SITE,
        name: 'Site',
        customer: 'customer',
        timeZone: 'Europe/Berlin',
        agent: SITE,
        links: links.map(({ name, wiring }) => ({
          name,
          port: 0,
          ...wiring.served,
          scales: wiring.scales.map(({ served }, place) => {
            bins += 1;
            const [initial, full] = isCounted(served)
              ? [PIECES.before + bins, PIECES.full]
              : [bins * STEP_MG, CAPACITY_MG / 2];
            return {
              bin: binOf(name, place),
              name: 'Scale',
              product: 'sand',
              capacityMg: CAPACITY_MG,
              tareMg: TARE_MG,
              divisionMg: DIVISION_MG,
              noiseMg: 0,
              driftMgPerSqrtH: 0,
              cell: { settling: { pickMs: 1, refillMs: 1 } },
              stock: { initial, refillAt: 0, refillTo: full, refillDelayH: 1 },
              events: [{ kind: 'put', quantity: 1, afterS: 1_000_000 }],
              ...served,
            };
          }),
        })),
      },
    ],
  };
  return parseScenario('faulty.yaml', stringify(world));
}

function configOf(
  links: readonly SiteLink[],
  addressOf: (link: SiteLink) => string,
  { broker, dataDir }: { readonly broker: string; readonly dataDir: string },
): string {
  return stringify({
    agent: { id: SITE, secret: 's' },
    broker,
    dataDir,
    report: { heartbeatS: 1, minSamples: 5 },
    links: links.map((link) => {
      const { name, wiring, isSerial = false } = link;
      const devices = wiring.scales.map(({ asked }, place) => ({
        bin: binOf(name, place),
        pollMs: POLL_MS,
        ...asked,
      }));
      const sensors = devices.filter((device) => 'kind' in device);
      const scales = devices.filter((device) => !('kind' in device));
      const { protocol } = wiring.asked;
      return {
        name,
        timeoutMs: 500,
        ...wiring.asked,
        protocol: isSerial && protocol === 'modbus-rtu-over-tcp' ? 'modbus-rtu' : protocol,
        address: addressOf(link),
        ...(isSerial && { serial: { baud: wiring.served['baud'] } }),
        scales,
        ...(sensors.length > 0 && { sensors }),
      };
    }),
  });
}

/**
 * Starts simulator, broker and agent.
 * @param links not two of one name
 */
export async function startFaultySite(links: readonly SiteLink[]): Promise<FaultySite> {
  const folder = mkdtempSync(join(tmpdir(), 'faulty-'));
  const broker = await aedesBroker();
  const peer = await CloudPeer.at(broker.url, agentId(SITE));
  const simulator = await startSimulator({
    scenario: scenarioOf(links),
    stateDir: null,
    ptyDir: links.some(({ isSerial }) => isSerial) ? join(folder, 'pty') : null,
    clock: systemClock,
    log: createLog('sim', 'silent'),
  });
  const dataDir = join(folder, 'data');
  const file = join(folder, 'agent.yaml');
  const opened = new Map(simulator.links.map((link) => [link.link, link]));
  const addressOf = ({ name, isSerial = false }: SiteLink): string => {
    const { port = 0, path = '' } = opened.get(name) ?? {};
    return isSerial ? (path ?? '') : `127.0.0.1:${port}`;
  };
  writeFileSync(file, configOf(links, addressOf, { broker: broker.url, dataDir }));
  const logFile = join(folder, 'agent.log');
  const agent = new Program({ name: 'agent', args: [AGENT_MAIN, `--config=${file}`], logFile });
  await agent.ready();
  const { control } = simulator;
  return {
    simulator,
    peer,
    truth: truthOf(links, simulator),
    binsOf: (name) =>
      links
        .filter((link) => link.name === name)
        .flatMap(({ wiring }) => wiring.scales.map((_, place) => binOf(name, place))),
    put() {
      for (const { bin, quantityUnit } of control.bins()) {
        control.act(bin, 'put', quantityUnit === 'piece' ? PIECES.put : PUT_MG);
      }
    },
    links: async () => {
      const { links: all } = await askStatus(dataDir);
      return new Map(all.map((link) => [link.name, link]));
    },
    log: () => readFileSync(logFile, 'utf8'),
    async close() {
      await agent.stop();
      await simulator.close();
      await peer.close();
      await broker.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

function truthOf(links: readonly SiteLink[], simulator: RunningSimulator): Map<string, Truth> {
  const contents = new Map(simulator.control.bins().map((view) => [view.bin, view]));
  return new Map(
    links.flatMap(({ name, wiring }) =>
      wiring.scales.map(({ served, asked }, place): [string, Truth] => {
        const bin = binOf(name, place);
        const { quantity = 0, massMg = 0 } = contents.get(bin) ?? {};
        if (isCounted(served)) {
          return [bin, { before: quantity, after: quantity + PIECES.put, tolerance: 0 }];
        }
        const before = asked['kind'] === 'level' ? massMg : TARE_MG + massMg;
        return [bin, { before, after: before + PUT_MG, tolerance: DIVISION_MG }];
      }),
    ),
  );
}

export function isTrue(
  { bin, value }: Reading,
  truth: ReadonlyMap<string, Truth>,
  when: 'before' | 'after',
): boolean {
  const real = truth.get(bin);
  return real !== undefined && Math.abs((value ?? Number.NaN) - real[when]) <= real.tolerance;
}

/** Good readings that say something else than the truth, or what was true only before. */
export function untrue(
  readings: readonly Reading[],
  truth: ReadonlyMap<string, Truth>,
): readonly Reading[] {
  const changed = new Set<string>();
  return readings.filter((reading) => {
    if (reading.quality !== 'good') return false;
    const isNew = isTrue(reading, truth, 'after');
    if (isNew) changed.add(reading.bin);
    return !isNew && (changed.has(reading.bin) || !isTrue(reading, truth, 'before'));
  });
}

/** What the agent has called the faults of each link, in its log. */
export function namedFaults(log: string): ReadonlyMap<string, readonly string[]> {
  const faults = new Map<string, string[]>();
  for (const line of log.split('\n')) {
    // What was cut off at either end is not a line.
    if (!line.startsWith('{') || !line.endsWith('}')) continue;
    const { link, fault } = JSON.parse(line) as { link?: string; fault?: string };
    if (link === undefined || fault === undefined) continue;
    const known = faults.get(link);
    if (known === undefined) faults.set(link, [fault]);
    else known.push(fault);
  }
  return faults;
}

/** Every bin's slave. */
export function slavesIn(links: ReadonlyMap<string, LinkStatus>): ReadonlyMap<string, SlaveStatus> {
  return new Map([...links.values()].flatMap(({ slaves }) => slaves).map((one) => [one.bin, one]));
}
