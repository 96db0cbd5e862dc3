import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { systemClock } from '#shared/clock.ts';
import { agentId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { aedesBroker } from '../../edge-agent/src/testing/brokers.ts';
import { CloudPeer } from '../../edge-agent/src/testing/cloud-peer.ts';
import {
  FAULT_KIND_NAMES,
  isPossible,
  type FaultKind,
} from '../../firmware-sim/src/core/faults.ts';
import { faultRule, framingOf } from '../../firmware-sim/src/faults/section.ts';
import { startSimulator, type RunningSimulator } from '../../firmware-sim/src/run.ts';
import { parseScenario } from '../../firmware-sim/src/scenario.ts';
import { scenarioText } from '../../firmware-sim/src/testing/small-scenario.ts';
import { Program } from '../src/program.ts';

const AGENT_MAIN = join(import.meta.dirname, '../../edge-agent/src/main.ts');
/** Long enough for faults to strike every link several times; longer where they have not yet. */
const FAULTY_MS = 900;
const PATIENCE_MS = 90_000;
const TEST_MS = 240_000;
/** What the panel cannot do from afar: a value that hangs is, on the wire, a good one. */
const INVISIBLE: ReadonlySet<FaultKind> = new Set(['stuck']);

/** Three links that nothing moves on, and every answer quick. */
function quietScenario() {
  const world = parse(scenarioText('small')) as {
    sites: { links: { port: number; baud?: number; scales: Record<string, unknown>[] }[] }[];
  };
  for (const { links } of world.sites) {
    for (const link of links) {
      link.port = 0;
      if (link.baud !== undefined) link.baud = 115_200;
      for (const scale of link.scales) {
        delete scale['use'];
        scale['events'] = [{ kind: 'put', quantity: 1, afterS: [1_000_000] }];
      }
    }
  }
  return parseScenario('pains.yaml', stringify(world));
}

function agentConfig(simulator: RunningSimulator, broker: string, dataDir: string): string {
  const address = (name: string): string =>
    `127.0.0.1:${simulator.links.find(({ link }) => link === name)?.port ?? 0}`;
  const quick = { timeoutMs: 150 };
  const pollMs = 50;
  return stringify({
    agent: { id: 'workshop', secret: 's' },
    broker,
    dataDir,
    report: { heartbeatS: 1, minSamples: 5 },
    links: [
      {
        name: 'tcp',
        protocol: 'modbus-tcp',
        address: address('tcp'),
        ...quick,
        scales: [
          {
            bin: 'workshop-washers',
            unit: 1,
            profile: 'dini-argeo-dgt',
            countMg: 100,
            divisionMg: 100,
            pollMs,
          },
        ],
      },
      {
        name: 'rtu',
        protocol: 'modbus-rtu-over-tcp',
        address: address('rtu'),
        ...quick,
        scales: [
          {
            bin: 'workshop-clamps',
            unit: 7,
            profile: 'generic-int32',
            countMg: 1_000,
            divisionMg: 1_000,
            pollMs,
          },
        ],
      },
      {
        name: 'sics',
        protocol: 'mt-sics',
        address: address('sics'),
        ...quick,
        scales: [{ bin: 'workshop-sand', divisionMg: 20_000, pollMs }],
      },
    ],
  });
}

/** Noise of the scales in the scenario is below half of this. */
const TOLERANCE_DIVISIONS = 12;

/** An agent for each, so that none inherits the patience that another taught its links. */
test.concurrent.for(FAULT_KIND_NAMES.filter((name) => !INVISIBLE.has(name)))(
  '%s makes the agent take no wrong weight, and it recovers',
  { timeout: TEST_MS },
  async (kind, { onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'pains-'));
    const broker = await aedesBroker();
    const peer = await CloudPeer.at(broker.url, agentId('workshop'));
    const scenario = quietScenario();
    const simulator = await startSimulator({
      scenario,
      stateDir: null,
      ptyDir: null,
      clock: systemClock,
      log: createLog('sim', 'silent'),
    });
    const config = join(folder, 'agent.yaml');
    writeFileSync(config, agentConfig(simulator, broker.url, join(folder, 'data')));
    const agent = new Program({
      name: 'agent',
      args: [AGENT_MAIN, `--config=${config}`],
      logFile: join(folder, 'agent.log'),
    });
    onTestFinished(async () => {
      await agent.stop();
      await simulator.close();
      await peer.close();
      await broker.stop();
      rmSync(folder, { recursive: true });
    });
    await agent.ready();

    const { control } = simulator;
    const bins = control.bins();
    const truth = new Map<string, { grossMg: number; divisionMg: number }>(
      scenario.sites.flatMap(({ links }) =>
        links.flatMap(({ scales }) =>
          scales.map(({ bin, tareMg, divisionMg }) => {
            const massMg = control.bins().find((view) => view.bin === bin)?.massMg ?? 0;
            return [bin, { grossMg: tareMg + massMg, divisionMg }] as const;
          }),
        ),
      ),
    );
    const wrong = (reading: Reading): boolean => {
      const real = truth.get(reading.bin);
      if (!real) return true;
      if (reading.quality !== 'good') return false;
      const off = Math.abs((reading.value ?? Number.NaN) - real.grossMg);
      return !(off <= TOLERANCE_DIVISIONS * real.divisionMg);
    };
    /** Every bin is told of anew as good. */
    async function recovered(after: string): Promise<void> {
      const from = peer.readings.length;
      const deadline = Date.now() + PATIENCE_MS;
      const missing = (): string[] => {
        const good = peer.readings.slice(from).filter(({ quality }) => quality === 'good');
        return bins.map(({ bin }) => bin).filter((bin) => !good.some((one) => one.bin === bin));
      };
      while (missing().length > 0 && Date.now() < deadline) await delay(20);
      expect(missing(), `after ${after}`).toEqual([]);
    }
    await recovered('the start');

    for (const { site, link, protocol } of control.links()) {
      if (!isPossible(kind, framingOf(protocol))) continue;
      const probability = kind === 'half-open' || kind === 'refuse' ? 1 : 0.7;
      control.inject(`${site}/${link}`, null, faultRule.parse({ kind, probability }));
    }
    const strikes = (): number => control.faults().reduce((sum, { injected }) => sum + injected, 0);
    await delay(FAULTY_MS);
    // One connection stands on each link already: this fault waits for a second one.
    if (kind !== 'max-connections')
      await vi.waitFor(() => expect(strikes()).toBeGreaterThan(0), WAIT);
    control.clear(null);
    await recovered(kind);
    expect(peer.readings.filter(wrong)).toEqual([]);
  },
);
