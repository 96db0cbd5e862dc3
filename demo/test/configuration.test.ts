import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import type { Configuration, StockView } from '../../cloud/src/http/contract.ts';
import { CloudProcess } from '../../cloud/test/cloud-process.ts';
import { startSimulator, type RunningSimulator } from '../../firmware-sim/src/run.ts';
import { smallScenario } from '../../firmware-sim/src/testing/small-scenario.ts';
import { Api } from '../src/api.ts';
import { agentConfig } from '../src/configuration.ts';
import { Program } from '../src/program.ts';
import { provision } from '../src/provision.ts';
import { Workspace } from '../src/workspace.ts';

const AGENT_MAIN = join(import.meta.dirname, '../../edge-agent/src/main.ts');
const PATH = '/agents/workshop/config';
/** Long enough on any machine for what is right to prove itself. */
const PATIENT_S = 120;
/** For what is wrong, and stays so however long it is tried. */
const QUICK_S = 2;

interface AgentFile {
  readonly links: { readonly address: string; readonly scales: Record<string, unknown>[] }[];
}

let folder: string;
let simulator: RunningSimulator;
let cloud: CloudProcess;
let api: Api;
let agent: Program;
/** The agent's local file. */
let local: AgentFile;
let workspace: Workspace;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'offtake-configuration-'));
  workspace = new Workspace(folder);
  const scenario = smallScenario();
  const world = { stateDir: null, ptyDir: null, clock: systemClock };
  simulator = await startSimulator({ scenario, ...world, log: createLog('sim', 'silent') });
  cloud = await CloudProcess.create();
  await cloud.start();
  api = new Api(cloud.url, await cloud.firstKey());
  await provision(scenario, api, workspace);
  const [site] = scenario.sites;
  if (site === undefined) throw new Error('the scenario has a site');
  const links = site.links.map((link) => {
    const port = simulator.links.find((open) => open.link === link.name)?.port;
    return { ...link, port: port ?? 0 };
  });
  const ports = { http: 0, broker: Number(new URL(cloud.brokerUrl).port) };
  const secret = workspace.state.agents['workshop'] ?? '';
  const dataDir = workspace.path('agent');
  local = parse(
    agentConfig({ site: { ...site, links }, secret, dataDir, ports, heartbeatS: 1 }),
  ) as AgentFile;
  agent = await startAgent(PATIENT_S);
});

afterAll(async () => {
  await agent?.stop();
  await simulator?.close();
  await cloud?.remove();
  rmSync(folder, { recursive: true });
});

async function startAgent(trialS: number): Promise<Program> {
  const content = stringify({ ...local, remote: { trialS } });
  const config = workspace.writeConfig('workshop.yaml', content);
  const logFile = workspace.path('logs', 'workshop.log');
  const program = new Program({
    name: 'workshop',
    args: [AGENT_MAIN, `--config=${config}`],
    logFile,
  });
  await program.ready();
  return program;
}

const now = (): Promise<Configuration> => api.get<Configuration>(PATH);

/** @returns the version that it became */
async function wish(config: object): Promise<number> {
  const expectedVersion = (await now()).desired?.version ?? 0;
  return (await api.put<Configuration>(PATH, { config, expectedVersion })).desired?.version ?? 0;
}

/** The links of the local file, with something else in the first one. */
function links(change: (first: AgentFile['links'][number]) => object): object[] {
  return local.links.map((link, place) => (place === 0 ? { ...link, ...change(link) } : link));
}

/** What the cloud knows of the agent, once it is as expected. */
async function becomes(expected: object): Promise<Configuration> {
  await expect.poll(now, WAIT).toMatchObject(expected);
  return await now();
}

const newestReading = async (): Promise<number> => {
  const stock = await api.list<StockView>('/stock');
  return Math.min(...stock.map(({ readAt }) => readAt ?? 0));
};

test('what is sent is tried, proved and in force, and every scale is read as before', async () => {
  expect(await now()).toMatchObject({ state: 'local', reported: null });
  await expect.poll(newestReading, WAIT).toBeGreaterThan(0);
  const slower = links(({ scales }) => ({
    scales: scales.map((scale) => ({ ...scale, pollMs: 500 })),
  }));
  const version = await wish({ report: { heartbeatS: 1 }, links: slower });
  const { says } = await becomes({ state: 'applied', agrees: true, inForce: { version } });
  expect(says).toBe('Version 1 is in force and proved.');
  const since = Date.now();
  await expect.poll(newestReading, WAIT).toBeGreaterThan(since);
});

test('what the agent cannot follow is refused, key by key, and the version before goes on', async () => {
  const faulty = links(({ scales }) => ({
    scales: scales.map((scale) => ({ ...scale, divisionMg: 0 })),
  }));
  const version = await wish({ links: faulty, report: { heartbeat: 5 } });
  const { reported } = await becomes({ state: 'refused', reported: { version, inForce: 1 } });
  expect(reported?.problems.map((problem) => problem.key).toSorted()).toEqual([
    'links.0.scales.0.divisionMg',
    'report.heartbeat',
  ]);
});

test('a wrong address is found out and rolled back, with the reason, and an older version restored', async () => {
  await agent.stop();
  agent = await startAgent(QUICK_S);
  const version = await wish({ links: links(() => ({ address: '127.0.0.1:9' })) });
  const { reported, inForce } = await becomes({ state: 'rolled-back', reported: { version } });
  expect(reported?.reason).toMatch(/link tcp: no weight from workshop-washers/);
  expect(inForce).toMatchObject({ version: 1 });
  const since = Date.now();
  await expect.poll(newestReading, WAIT).toBeGreaterThan(since);

  await agent.stop();
  agent = await startAgent(PATIENT_S);
  const restored = await api.create<Configuration>(`${PATH}/versions/1/restore`, {
    expectedVersion: version,
  });
  expect(restored.desired).toMatchObject({ config: inForce?.config, version: version + 1 });
  await becomes({ state: 'applied', inForce: { version: version + 1 } });
});

test('a cloud that is killed right after it took a version still delivers it', async () => {
  // What the broker in its process held is gone with it: only the database can tell.
  await agent.kill();
  const version = await wish({ report: { heartbeatS: 2 } });
  await cloud.kill();
  await cloud.start();
  expect(await now()).toMatchObject({ state: 'waiting', desired: { version } });
  agent = await startAgent(PATIENT_S);
  await becomes({ state: 'applied', inForce: { version, config: { report: { heartbeatS: 2 } } } });
});

test('an agent that was never away gets what was taken while its cloud was killed', async () => {
  const version = await wish({ report: { heartbeatS: 1 }, log: 'warn' });
  await cloud.kill();
  await cloud.start();
  await becomes({ state: 'applied', inForce: { version } });
});

test('nothing from afar is left of an agent that is sent back to its local file', async () => {
  const version = await wish({});
  await becomes({ state: 'applied', agrees: true, desired: { version, config: {} } });
  const since = Date.now();
  await expect.poll(newestReading, WAIT).toBeGreaterThan(since);
});
