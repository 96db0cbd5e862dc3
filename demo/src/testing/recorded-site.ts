import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { freePort } from '#shared/testing/ports.ts';
import { parseScenario, type Scenario } from '../../../firmware-sim/src/scenario/scenario.ts';
import { Program } from '../program.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** A world of one site, and what its scales recorded before anything else ran. */
export interface RecordedSite {
  readonly scenario: Scenario;
  readonly scenarioFile: string;
  /** The simulator's folder. */
  readonly state: string;
  /** Folder with the agent's recording. */
  readonly recordings: string;
  /** The recorded time, ms since 1970. */
  readonly from: number;
  readonly until: number;
}

/** The first customer's site of the demo, on ports of its own. */
export async function recordSite(folder: string, days: number): Promise<RecordedSite> {
  const demo = parse(readFileSync(join(ROOT, 'firmware-sim/scenarios/demo.yaml'), 'utf8')) as {
    sites: { customer: string | null; links: { port: number }[] }[];
    historyDays: number;
  };
  demo.sites = demo.sites.filter(({ customer }) => customer !== null).slice(0, 1);
  demo.historyDays = days;
  for (const link of demo.sites.flatMap(({ links }) => links)) link.port = await freePort();
  const scenarioFile = join(folder, 'scenario.yaml');
  writeFileSync(scenarioFile, stringify(demo));
  const state = join(folder, 'sim');
  const recordings = join(folder, 'recordings');
  const sim = new Program({
    name: 'sim history',
    args: [
      join(ROOT, 'firmware-sim/src/main.ts'),
      'history',
      `--scenario=${scenarioFile}`,
      `--state=${state}`,
      `--out=${recordings}`,
    ],
    logFile: join(folder, 'sim-history.log'),
  });
  await sim.done();
  const { historyFrom, startedAt } = JSON.parse(
    readFileSync(join(state, 'state.json'), 'utf8'),
  ) as { historyFrom: number; startedAt: number };
  const scenario = parseScenario(scenarioFile, readFileSync(scenarioFile, 'utf8'));
  return { scenario, scenarioFile, state, recordings, from: historyFrom, until: startedAt };
}
