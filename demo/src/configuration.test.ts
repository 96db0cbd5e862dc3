import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readConfig } from '../../edge-agent/src/configuration/config.ts';
import { parseScenario, type Scenario } from '../../firmware-sim/src/scenario/scenario.ts';
import { agentConfig } from './configuration.ts';

const FILE = join(import.meta.dirname, '../../firmware-sim/scenarios/demo.yaml');
const folder = mkdtempSync(join(tmpdir(), 'offtake-configuration-'));
afterAll(() => rmSync(folder, { recursive: true }));

const scenario = (change = (text: string): string => text): Scenario =>
  parseScenario('demo.yaml', change(readFileSync(FILE, 'utf8')));

const configOf = (site: Scenario['sites'][number]): string =>
  agentConfig({ site, secret: 's', dataDir: folder, ports: { http: 1, broker: 2 } });

test('every bin of the demo is read by its agent, scales and level probes alike', () => {
  for (const site of scenario().sites) {
    const file = join(folder, `${site.agent}.yaml`);
    writeFileSync(file, configOf(site));
    const bins = readConfig(file).links.flatMap((link) =>
      [...link.scales, ...('sensors' in link ? link.sensors : [])].map(({ bin }) => bin),
    );
    expect(bins).toEqual(site.links.flatMap(({ scales }) => scales.map(({ bin }) => bin)));
  }
});

test('a level probe says gross mass, as the scale does that its history was taken with', () => {
  const site = scenario().sites.find(({ id }) => id === 'acme-south');
  expect(site && configOf(site)).toContain('kind: level');
  expect(site && configOf(site)).toContain('massMg: 6200000');
});

test('a sensor whose history nobody could take over is told by its bin', () => {
  const counting = scenario((text) => text.replace('{ kind: level }', '{ kind: count }'));
  expect(() => counting.sites.map(configOf)).toThrow(/acme-south-pellets.*kind count.*kind level/);
});
