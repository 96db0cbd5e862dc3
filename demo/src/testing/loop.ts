import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Site } from '../../../firmware-sim/src/scenario/scenario.ts';
import { Api } from '../api.ts';
import { agentConfig, cloudConfig, type Ports } from '../configuration.ts';
import { Program } from '../program.ts';
import { provision } from '../provision.ts';
import { Workspace } from '../workspace.ts';
import type { RecordedSite } from './recorded-site.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

export interface LoopOptions {
  readonly folder: string;
  readonly ports: Ports;
  readonly site: RecordedSite;
  readonly heartbeatS: number;
}

/** The real programs, each of which may be killed and started again at any time. */
export class Loop {
  readonly #options: LoopOptions;
  readonly #workspace: Workspace;
  readonly #running = new Map<string, Program>();
  #api: Api | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#workspace = new Workspace(options.folder);
  }

  /** Names that {@link kill} and {@link run} know. */
  get programs(): readonly string[] {
    return ['cloud', ...this.#options.site.scenario.sites.map(({ agent }) => agent)];
  }

  get api(): Api {
    if (this.#api === undefined) throw new Error('the loop was not begun');
    return this.#api;
  }

  /** The first start: master data made and backlogs laid into the agents' outboxes. */
  async begin(): Promise<void> {
    const { ports } = this.#options;
    const { scenario, recordings } = this.#options.site;
    await this.run('cloud');
    const key = readFileSync(this.#workspace.path('cloud', 'first-key'), 'utf8').trim();
    this.#api = new Api(`http://127.0.0.1:${ports.http}`, key);
    await provision(scenario, this.#api, this.#workspace);
    for (const site of scenario.sites) {
      const recording = join(recordings, `${site.agent}.recording.jsonl`);
      const backfill = this.#launch(`${site.agent} backfill`, [
        'edge-agent/src/main.ts',
        'backfill',
        `--config=${this.#agentConfig(site)}`,
        `--recording=${recording}`,
      ]);
      await backfill.done();
    }
  }

  /** @param name `cloud`, an agent's id, or `sim` for the live scales */
  async run(name: string): Promise<void> {
    const program = this.#launch(name, this.#commandOf(name));
    this.#running.set(name, program);
    await program.ready();
  }

  async kill(name: string): Promise<void> {
    await this.#running.get(name)?.kill();
  }

  /** Lets the program end by itself, after what it has to do. */
  async halt(name: string): Promise<void> {
    await this.#running.get(name)?.stop();
  }

  /** Stops everything, in the order of the data's way. */
  async stop(): Promise<void> {
    for (const name of ['sim', ...this.programs.toReversed()]) {
      await this.halt(name);
    }
  }

  /** Where the agent keeps its outbox. */
  dataDir(agent: string): string {
    return this.#workspace.path('agents', agent);
  }

  #commandOf(name: string): string[] {
    const { ports, site } = this.#options;
    if (name === 'sim') {
      const { scenarioFile, state } = site;
      return ['firmware-sim/src/main.ts', `--scenario=${scenarioFile}`, `--state=${state}`];
    }
    if (name === 'cloud') {
      const content = cloudConfig(this.#workspace.path('cloud'), ports);
      return [
        'cloud/src/main.ts',
        `--config=${this.#workspace.writeConfig('cloud.yaml', content)}`,
      ];
    }
    const measured = site.scenario.sites.find(({ agent }) => agent === name);
    if (measured === undefined) throw new Error(`no program ${name}`);
    return ['edge-agent/src/main.ts', `--config=${this.#agentConfig(measured)}`];
  }

  #agentConfig(site: Site): string {
    const { agent } = site;
    const secret = this.#workspace.state.agents[agent] ?? '';
    const dataDir = this.dataDir(agent);
    const { ports, heartbeatS } = this.#options;
    const config = agentConfig({ site, secret, dataDir, ports, heartbeatS });
    return this.#workspace.writeConfig(`${agent}.yaml`, config);
  }

  #launch(name: string, [script = '', ...rest]: readonly string[]): Program {
    const logFile = this.#workspace.path('logs', `${name.replaceAll(' ', '-')}.log`);
    return new Program({ name, args: [join(ROOT, script), ...rest], logFile });
  }
}
