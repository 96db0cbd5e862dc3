import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { probe, type ProbeOptions, type ProbeResult } from '../../edge-agent/src/probe/probe.ts';
import { isSure, probeText } from '../../edge-agent/src/probe/text.ts';
import { profileNames } from '../../edge-agent/src/scale/profile.ts';
import type { BinView } from '../../firmware-sim/src/control/control.ts';
import { startSimulator, type RunningSimulator } from '../../firmware-sim/src/run.ts';
import { parseScenario } from '../../firmware-sim/src/scenario/scenario.ts';
import { scenarioText } from '../../firmware-sim/src/testing/small-scenario.ts';

/** Every simulated device at ports of the system and quick lines; nobody takes anything. */
function restingDevices(): string {
  const world = parse(scenarioText('devices')) as {
    sites: { links: { port: number; baud?: number; scales: Record<string, unknown>[] }[] }[];
  };
  for (const link of world.sites.flatMap(({ links }) => links)) {
    link.port = 0;
    if (link.baud !== undefined) link.baud = 115_200;
    for (const scale of link.scales) {
      delete scale['use'];
      scale['events'] = [{ kind: 'put', quantity: 1, afterS: [100_000_000] }];
    }
  }
  return stringify(world);
}

async function devices(ptyDir: string | null): Promise<RunningSimulator> {
  const scenario = parseScenario('devices.yaml', restingDevices());
  const log = createLog('sim', 'silent');
  const where = { stateDir: null, ptyDir, clock: systemClock };
  // Springs and dampers come to rest a hundred times sooner.
  const simulator = await startSimulator({ scenario, speed: 100, log, ...where });
  onTestFinished(() => simulator.close());
  return simulator;
}

const TARE_MG = 2_000_000;
const PIECE_MG = 20_000;
/** What is put on a scale to know more, of the product that lies there. */
const MORE_MG = 3_210_000;

/** Finds out how the scale of one bin speaks; a technician may put more on it. */
async function probed(
  { control }: RunningSimulator,
  address: string,
  {
    bin,
    units,
    listenMs,
    withMore,
  }: Pick<ProbeOptions, 'units' | 'listenMs'> & {
    readonly bin: string;
    readonly withMore: boolean;
  },
): Promise<ProbeResult> {
  const view = (): BinView => {
    const found = control.bins().find((one) => one.bin === bin);
    if (found === undefined) throw new Error(`${bin}: no such bin`);
    return found;
  };
  const knownMg = (): number => view().massMg + TARE_MG;
  let isPut = !withMore;
  return await probe({
    address,
    weightMg: knownMg(),
    units,
    profiles: profileNames(),
    timeoutMs: 400,
    listenMs,
    say: () => {},
    nextWeight: async () => {
      if (isPut) return null;
      isPut = true;
      control.act(bin, 'put', MORE_MG / (view().quantityUnit === 'piece' ? PIECE_MG : 1));
      await vi.waitFor(() => expect(view().display.stable).toBe(true), WAIT);
      return knownMg();
    },
  });
}

/** Address of a link, by its port or its pseudo-terminal. */
function addressOf({ links }: RunningSimulator, name: string, over: 'tcp' | 'pty'): string {
  const link = links.find((one) => one.link === name);
  return over === 'tcp' ? `127.0.0.1:${link?.port ?? 0}` : String(link?.path);
}

function folderOfPtys(): string {
  const folder = mkdtempSync(join(tmpdir(), 'probe-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const HAS_PTY = requireProgram('socat');

test.each([
  ['tcp', 'tcp', 'modbus-tcp'],
  ...(HAS_PTY ? ([['rtu', 'pty', 'modbus-rtu']] as const) : []),
] as const)(
  'every profile of the link %s is found over %s, as %s',
  async (link, over, protocol) => {
    const simulator = await devices(over === 'pty' ? folderOfPtys() : null);
    const address = addressOf(simulator, link, over);
    for (const profile of profileNames()) {
      const bin = `${link}-${profile}`;
      const unit = simulator.control.bins().find((one) => one.bin === bin)?.unit ?? 0;
      const asked = { bin, units: [unit], listenMs: 50, withMore: over === 'tcp' };
      const result = await probed(simulator, address, asked);
      expect(result).toMatchObject({ kind: 'modbus', protocol, unit });
      const fits = result.kind === 'modbus' ? result.fits.map((fit) => fit.profile) : [];
      // Where two lay a weight above zero out alike, both fit, and the technician is told so.
      expect(fits, probeText(result)).toContain(profile);
      expect(fits.length).toBeLessThanOrEqual(2);
    }
  },
);

test('every ASCII protocol is found, be it sent or asked for', async () => {
  const simulator = await devices(HAS_PTY ? folderOfPtys() : null);
  const bins = simulator.control.bins().filter(({ bin }) => bin.startsWith('line-'));
  expect(bins).toHaveLength(6);
  for (const { bin, link } of bins) {
    const address = addressOf(simulator, link, HAS_PTY ? 'pty' : 'tcp');
    const asked = { bin, units: [1], listenMs: 500, withMore: false };
    const result = await probed(simulator, address, asked);
    const protocol = link === 'sics' ? 'mt-sics' : link;
    expect(result, probeText(result)).toMatchObject({ kind: 'ascii', guess: { protocol } });
    expect(isSure(result), probeText(result)).toBe(true);
  }
});
