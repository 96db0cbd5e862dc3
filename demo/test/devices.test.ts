import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';
import { readConfig, type LinkConfig } from '../../edge-agent/src/configuration/config.ts';
import { slavesOf, type BinPoint } from '../../edge-agent/src/scale/modbus-points.ts';
import { modbusDriver } from '../../edge-agent/src/scale/modbus.ts';
import { loadProfile, profileNames } from '../../edge-agent/src/scale/profile.ts';
import { startSimulator, type RunningSimulator } from '../../firmware-sim/src/run.ts';
import { parseScenario, type Link } from '../../firmware-sim/src/scenario/scenario.ts';
import { scenarioText } from '../../firmware-sim/src/testing/small-scenario.ts';

/** Where the simulator's sensors have their values; see its README. */
const SENSORS = {
  count: { table: 'input', address: 0, type: 'uint32', sure: { address: 2, bit: 0 } },
  presence: { table: 'discrete', address: 0 },
} as const;

function linkOf(link: Link, simulator: RunningSimulator): object[] {
  if (link.protocol !== 'modbus-tcp' && link.protocol !== 'modbus-rtu') return [];
  const port = simulator.links.find((open) => open.link === link.name)?.port ?? 0;
  const scales = link.scales.flatMap((scale): object[] => {
    if ('sensor' in scale) return [];
    const { bin, unit, profile, divisionMg, countMg } = scale;
    const counted = loadProfile(profile).unit === undefined ? { countMg } : {};
    return [{ bin, unit, profile, divisionMg, ...counted }];
  });
  const sensors = link.scales.flatMap((scale): object[] => {
    if (!('sensor' in scale)) return [];
    const { bin, unit, divisionMg, capacityMg, tareMg } = scale;
    const { kind } = scale.sensor;
    if (kind !== 'level') return [{ bin, unit, kind, ...SENSORS[kind] }];
    const levels = [
      { at: 4_000, massMg: 0 },
      { at: 20_000, massMg: capacityMg - tareMg },
    ];
    return [{ bin, unit, kind, table: 'input', address: 0, levels, divisionMg }];
  });
  const protocol = link.protocol === 'modbus-rtu' ? 'modbus-rtu-over-tcp' : link.protocol;
  return [{ name: link.name, protocol, address: `127.0.0.1:${port}`, scales, sensors }];
}

/** The agent's own configuration for every simulated Modbus device. */
async function links(): Promise<readonly LinkConfig[]> {
  const text = scenarioText('devices').replaceAll(/port: \d+/g, 'port: 0');
  const scenario = parseScenario('devices.yaml', text);
  const log = createLog('sim', 'silent');
  const where = { stateDir: null, ptyDir: null, clock: systemClock };
  const simulator = await startSimulator({ scenario, log, ...where });
  onTestFinished(() => simulator.close());
  const folder = mkdtempSync(join(tmpdir(), 'devices-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'agent.yaml');
  const agent = { id: 'bench', secret: 's' };
  const found = scenario.sites.flatMap((site) =>
    site.links.flatMap((link) => linkOf(link, simulator)),
  );
  writeFileSync(
    file,
    stringify({ agent, broker: 'mqtt://127.0.0.1:1', dataDir: 'data', links: found }),
  );
  return readConfig(file).links;
}

test('the agent reads every simulated Modbus device, over TCP and over RTU, and all agree', async () => {
  const weights = new Map<string, number>();
  for (const link of await links()) {
    if (!('sensors' in link)) continue;
    const session = await modbusDriver<BinPoint>(link).open();
    onTestFinished(() => session.close());
    for (const slave of slavesOf(link)) {
      for (const { point, read } of await session.read(slave)) {
        expect(read, point.bin).toMatchObject({ ok: true });
        if (read.ok) weights.set(point.bin, 'value' in read ? read.value : read.massMg);
      }
    }
  }
  const names = profileNames();
  const all = ['tcp', 'rtu'].flatMap((line) => names.map((name) => weights.get(`${line}-${name}`)));
  // They weigh the same goods: 120 clamps or 10.34 kg of sand in a box of 2 kg; some are used meanwhile.
  for (const massMg of all) expect(massMg).toBeGreaterThan(1_000_000);
  expect(Math.max(...all.map(Number)) - Math.min(...all.map(Number))).toBeLessThan(1_000_000);
  for (const line of ['tcp', 'rtu']) {
    expect(weights.get(`${line}-count`)).toBeGreaterThan(100);
    expect(weights.get(`${line}-level`)).toBeGreaterThan(8_000_000);
    expect(weights.get(`${line}-presence`)).toBe(1_000);
  }
});
