import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { readConfig } from '../../edge-agent/src/configuration/config.ts';
import { isAscii } from '../../edge-agent/src/scale/ascii-config.ts';
import { asciiDriver } from '../../edge-agent/src/scale/ascii.ts';
import { startSimulator, type RunningSimulator } from '../../firmware-sim/src/run.ts';
import { parseScenario } from '../../firmware-sim/src/scenario/scenario.ts';
import { scenarioText } from '../../firmware-sim/src/testing/small-scenario.ts';

/** Container and sand on every scale of the scenario, which nobody touches here. */
const GROSS_MG = 12_340_000;

interface Wiring {
  readonly protocol: string;
  /** How the simulated scale is set. */
  readonly device: object;
  /** How the agent is told of it. */
  readonly agent: object;
}
const locked = { tare: 'locked' };
const stream = { send: 'stream' };
const demand = { send: 'on-request' };

/** Every protocol as its devices can be set: sending by themselves, and asked. */
const WIRINGS: readonly Wiring[] = [
  { protocol: 'mt-sics', device: {}, agent: {} },
  { protocol: 'toledo', device: {}, agent: {} },
  { protocol: 'toledo', device: { checksum: false }, agent: {} },
  { protocol: 'a-and-d', device: stream, agent: { mode: 'continuous', ...locked } },
  { protocol: 'a-and-d', device: demand, agent: { mode: 'polled', ...locked } },
  { protocol: 'cas', device: stream, agent: { mode: 'continuous' } },
  { protocol: 'cas', device: demand, agent: { mode: 'polled' } },
  { protocol: 'ohaus', device: stream, agent: { mode: 'continuous' } },
  { protocol: 'ohaus', device: demand, agent: { mode: 'polled' } },
  { protocol: 'sbi', device: stream, agent: { mode: 'continuous', ...locked } },
  { protocol: 'sbi', device: demand, agent: { mode: 'polled', ...locked } },
];
/** CAS has a byte of eight bits. */
const LINES = WIRINGS.flatMap((wiring) =>
  (wiring.protocol === 'cas' ? ['none'] : ['none', 'even', 'odd']).map((parity) => ({
    ...wiring,
    parity,
  })),
).map((line, n) => ({
  ...line,
  name: `line-${n}`,
  sends: 'send' in line.device ? line.device.send : 'as it always does',
}));

interface World {
  sites: { links: { protocol: string; scales: { use?: object; events?: object[] }[] }[] }[];
}

function scenarioOfLines() {
  const world = parse(scenarioText('devices').replaceAll('noiseMg: 3000', 'noiseMg: 0')) as World;
  const [bench] = world.sites;
  const known = bench?.links ?? [];
  const links = LINES.map(({ protocol, device, parity, name }) => {
    const { use: _, ...scale } = known.find((link) => link.protocol === protocol)?.scales[0] ?? {};
    const events = [{ kind: 'put', quantity: 1, afterS: 1_000_000 }];
    const scales = [{ ...scale, bin: name, driftMgPerSqrtH: 0, events }];
    const bits = protocol === 'cas' ? {} : { parity };
    return { name, protocol, port: 0, baud: 115_200, ...device, ...bits, scales };
  });
  return parseScenario('lines.yaml', stringify({ ...world, sites: [{ ...bench, links }] }));
}

const hasSocat = requireProgram('socat');
const folder = mkdtempSync(join(tmpdir(), 'lines-'));
let simulator: RunningSimulator;
beforeAll(async () => {
  simulator = await startSimulator({
    scenario: scenarioOfLines(),
    stateDir: null,
    ptyDir: hasSocat ? folder : null,
    clock: systemClock,
    log: createLog('sim', 'silent'),
  });
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true });
});

async function readBy(line: (typeof LINES)[number], where: object): Promise<void> {
  const file = join(folder, `${line.name}.yaml`);
  const link = {
    name: line.name,
    protocol: line.protocol,
    ...where,
    ...line.agent,
    scales: [{ bin: line.name, divisionMg: 10_000 }],
  };
  writeFileSync(
    file,
    stringify({
      agent: { id: 'bench', secret: 's' },
      broker: 'mqtt://127.0.0.1:1',
      dataDir: 'data',
      links: [link],
    }),
  );
  const [config] = readConfig(file).links;
  if (!config || !isAscii(config)) throw new Error(`${line.protocol} is a protocol of ASCII`);
  const [scale] = config.scales;
  if (!scale) throw new Error('the link has a scale');
  const session = await asciiDriver(config).open();
  // A frame counts once another confirms it, so that the first read may yet fail.
  try {
    await vi.waitFor(async () => {
      const read = await session.read(scale);
      expect(read).toMatchObject({ ok: true, massMg: GROSS_MG });
    }, WAIT);
  } finally {
    session.close();
  }
}

test.for(LINES)(
  'the agent reads $protocol over TCP, sending $sends, parity $parity',
  async (line) => {
    const port = simulator.links.find(({ link }) => link === line.name)?.port ?? 0;
    await readBy(line, { address: `127.0.0.1:${port}` });
  },
);

test.runIf(hasSocat).for(LINES)(
  'the agent reads $protocol on a pseudo-terminal, sending $sends, parity $parity',
  async (line) => {
    const path = simulator.links.find(({ link }) => link === line.name)?.path ?? '';
    const serial =
      line.parity === 'none' ? { baud: 115_200 } : { dataBits: 7, parity: line.parity };
    await readBy(line, { address: path, serial });
  },
);
