import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi, type TestContext } from 'vitest';
import { parse, stringify } from 'yaml';
import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { decodeWireRecording, type WireHeader } from '#shared/wire-recording.ts';
import type { FaultKind } from '../../firmware-sim/src/core/faults.ts';
import { faultRule } from '../../firmware-sim/src/faults/section.ts';
import { startReplay } from '../../firmware-sim/src/replay/replay.ts';
import { startSimulator, type RunningSimulator } from '../../firmware-sim/src/run.ts';
import { parseScenario } from '../../firmware-sim/src/scenario/scenario.ts';
import { scenarioText } from '../../firmware-sim/src/testing/small-scenario.ts';
import { Program } from '../src/program.ts';

const AGENT_MAIN = join(import.meta.dirname, '../../edge-agent/src/main.ts');

/** Modbus TCP, RTU over TCP, RTU on a pseudo-terminal, and one that speaks ASCII. */
const LINKS = ['tcp', 'rtu', 'tty', 'sics'] as const;
type LinkName = (typeof LINKS)[number];
type Addresses = Readonly<Record<LinkName, string>>;

interface World {
  sites: {
    links: {
      name: string;
      port: number;
      baud?: number;
      scales: { bin: string; use?: object; events?: object[] }[];
    }[];
  }[];
}

/** The scenario for the bench with a second line of RTU, and nothing that moves. */
function quietScenario() {
  const world = parse(scenarioText('small')) as World;
  for (const { links } of world.sites) {
    const rtu = links.find(({ name }) => name === 'rtu');
    const [clamps] = rtu?.scales ?? [];
    if (rtu && clamps) {
      links.push({ ...rtu, name: 'tty', scales: [{ ...clamps, bin: 'workshop-clamps-2' }] });
    }
    for (const link of links) {
      link.port = 0;
      if (link.baud !== undefined) link.baud = 115_200;
      for (const scale of link.scales) {
        delete scale.use;
        scale.events = [{ kind: 'put', quantity: 1, afterS: 1_000_000 }];
      }
    }
  }
  return parseScenario('replay.yaml', stringify(world));
}

function agentConfig(dataDir: string, addresses: Addresses): string {
  const clamps = { unit: 7, profile: 'generic-int32', countMg: 1_000, divisionMg: 1_000 };
  const washers = { unit: 1, profile: 'dini-argeo-dgt', countMg: 100, divisionMg: 100 };
  const link = (name: LinkName, protocol: string, bin: string, scale: object): object => ({
    name,
    protocol,
    address: addresses[name],
    timeoutMs: 300,
    scales: [{ bin, pollMs: 60, ...scale }],
  });
  return stringify({
    agent: { id: 'workshop', secret: 's' },
    broker: 'mqtt://127.0.0.1:1',
    dataDir,
    links: [
      link('tcp', 'modbus-tcp', 'workshop-washers', washers),
      link('rtu', 'modbus-rtu-over-tcp', 'workshop-clamps', clamps),
      link('tty', 'modbus-rtu', 'workshop-clamps-2', clamps),
      link('sics', 'mt-sics', 'workshop-sand', { divisionMg: 20_000 }),
    ],
  });
}

interface RunningAgent {
  /** The first recording that it wrote of each link, by link. */
  recordings(): ReadonlyMap<string, string>;
  /** What it reported of its links. */
  reports(): string[];
  kill(): Promise<void>;
}

/** What a test has to itself. */
interface Bench {
  readonly folder: string;
  readonly atEnd: TestContext['onTestFinished'];
}

async function runAgent(
  { folder, atEnd }: Bench,
  name: string,
  addresses: Addresses,
): Promise<RunningAgent> {
  const dataDir = join(folder, name);
  const config = join(folder, `${name}.yaml`);
  const logFile = join(folder, `${name}.log`);
  writeFileSync(config, agentConfig(dataDir, addresses));
  const agent = new Program({ name, args: [AGENT_MAIN, `--config=${config}`], logFile });
  atEnd(() => agent.kill());
  await agent.ready();
  const wire = join(dataDir, 'wire');
  return {
    recordings() {
      const files = existsSync(wire) ? readdirSync(wire).toSorted().toReversed() : [];
      const whole = files.filter((file) => file.endsWith('.jsonl'));
      return new Map(whole.map((file) => [headerOf(join(wire, file)).link, join(wire, file)]));
    },
    reports: () =>
      readFileSync(logFile, 'utf8')
        .split('\n')
        .filter((line) => line.includes('the scale gives no weight'))
        .map((line) => reported(JSON.parse(line) as { link: string; fault: string })),
    kill: () => agent.kill(),
  };
}

const headerOf = (file = ''): WireHeader => decodeWireRecording(readFileSync(file, 'utf8')).header;

/** What is wrong, but for how long this agent had learned to wait. */
const reported = ({ link, fault }: { readonly link: string; readonly fault: string }): string =>
  `${link}: ${fault.replaceAll(/\d+ ms/g, 'so many ms')}`;

type Kinds = Readonly<Record<LinkName, FaultKind>>;

/** @returns the recordings that an agent wrote of these faults, by link */
async function recordedFaults(bench: Bench, kinds: Kinds): Promise<ReadonlyMap<string, string>> {
  const simulator = await startSimulator({
    scenario: quietScenario(),
    stateDir: null,
    ptyDir: bench.folder,
    clock: systemClock,
    log: createLog('sim', 'silent'),
  });
  bench.atEnd(() => simulator.close());
  for (let attempt = 1; ; attempt += 1) {
    const agent = await runAgent(bench, `on-site-${attempt}`, addressesOf(simulator));
    const { injectedAt, recordings } = await withFaults(simulator, agent, kinds);
    await agent.kill();
    simulator.control.clear(null);
    // On a laden machine an agent may find other faults before: then these are in its recordings.
    if ([...recordings.values()].every((file) => headerOf(file).at >= injectedAt)) {
      await simulator.close();
      return recordings;
    }
  }
}

async function withFaults({ control }: RunningSimulator, agent: RunningAgent, kinds: Kinds) {
  const from = control.frames({ after: 0, link: null, limit: 1 })[0]?.id ?? 0;
  const answers = (name: string): number =>
    control
      .frames({ after: from, link: `workshop/${name}`, limit: 100 })
      .filter(({ dir }) => dir === 'tx').length;
  await vi.waitFor(() => expect(Math.min(...LINKS.map(answers))).toBeGreaterThan(8), WAIT);
  const injectedAt = systemClock.wallMs();
  for (const name of LINKS) {
    const rule = faultRule.parse({ kind: kinds[name], count: 2, code: 2 });
    expect(control.inject(`workshop/${name}`, null, rule)).toMatchObject({ ok: true });
  }
  await vi.waitFor(() => expect(agent.recordings().size).toBe(LINKS.length), WAIT);
  return { injectedAt, recordings: agent.recordings() };
}

function addressesOf({ links }: RunningSimulator): Addresses {
  const open = (name: LinkName) => links.find(({ link }) => link === name);
  const tcp = (name: LinkName): string => `127.0.0.1:${open(name)?.port ?? 0}`;
  return {
    tcp: tcp('tcp'),
    rtu: tcp('rtu'),
    sics: tcp('sics'),
    tty: open('tty')?.path ?? '',
  };
}

test.runIf(requireProgram('socat')).for<Kinds>([
  { tcp: 'no-answer', rtu: 'truncated', tty: 'wrong-crc', sics: 'late-answer' },
  { tcp: 'late-answer', rtu: 'merged', tty: 'no-answer', sics: 'truncated' },
  { tcp: 'wrong-transaction', rtu: 'exception', tty: 'late-answer', sics: 'garbage-before' },
  { tcp: 'bad-length', rtu: 'wrong-unit', tty: 'reset', sics: 'reset' },
])(
  'a fresh agent reports what another one recorded: $tcp, $rtu, $tty, $sics',
  { timeout: 300_000 },
  async (kinds, { onTestFinished: atEnd }) => {
    const folder = mkdtempSync(join(tmpdir(), 'replay-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const bench = { folder, atEnd };
    const recorded = await recordedFaults(bench, kinds);
    const replayed = await Promise.all(
      LINKS.map(async (name) => {
        const file = recorded.get(name) ?? '';
        const replay = await startReplay({
          file,
          text: readFileSync(file, 'utf8'),
          place: name === 'tty' ? { pty: join(folder, 'replayed') } : { port: 0 },
          repeat: false,
          clock: systemClock,
          print: () => {},
        });
        atEnd(() => replay.close());
        return [name, replay.address] as const;
      }),
    );
    const agent = await runAgent(bench, 'at-the-desk', Object.fromEntries(replayed) as Addresses);
    const expected = LINKS.map((link) => {
      const { why = '' } = headerOf(recorded.get(link));
      return reported({ link, fault: why });
    });
    await vi.waitFor(() => expect(agent.reports()).toEqual(expect.arrayContaining(expected)), WAIT);
  },
);
