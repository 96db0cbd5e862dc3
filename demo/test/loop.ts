import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario, Site } from '../../firmware-sim/src/scenario.ts';
import { Api } from '../src/api.ts';
import { agentConfig, cloudConfig, type Ports } from '../src/configuration.ts';
import { Program } from '../src/program.ts';
import { provision } from '../src/provision.ts';
import { Workspace } from '../src/workspace.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export interface LoopOptions {
  readonly folder: string;
  readonly ports: Ports;
  readonly scenario: Scenario;
  /** Folder with the agents' recordings. */
  readonly recordings: string;
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
    return ['cloud', ...this.#options.scenario.sites.map(({ agent }) => agent)];
  }

  get api(): Api {
    if (this.#api === undefined) throw new Error('the loop was not begun');
    return this.#api;
  }

  /** The first start: master data made and backlogs laid into the agents' outboxes. */
  async begin(): Promise<void> {
    const { ports, scenario } = this.#options;
    await this.run('cloud');
    const key = readFileSync(this.#workspace.path('cloud', 'first-key'), 'utf8').trim();
    this.#api = new Api(`http://127.0.0.1:${ports.http}`, key);
    await provision(scenario, this.#api, this.#workspace);
    for (const site of scenario.sites) {
      const recording = join(this.#options.recordings, `${site.agent}.recording.jsonl`);
      const backfill = this.#launch(`${site.agent} backfill`, [
        'edge-agent/src/main.ts',
        'backfill',
        `--config=${this.#agentConfig(site)}`,
        `--recording=${recording}`,
      ]);
      await backfill.done();
    }
  }

  async run(name: string): Promise<void> {
    const { ports, scenario } = this.#options;
    const site = scenario.sites.find(({ agent }) => agent === name);
    const config =
      site === undefined
        ? this.#workspace.writeConfig(
            'cloud.yaml',
            cloudConfig(this.#workspace.path('cloud'), ports),
          )
        : this.#agentConfig(site);
    const script = site === undefined ? 'cloud/src/main.ts' : 'edge-agent/src/main.ts';
    const program = this.#launch(name, [script, `--config=${config}`]);
    this.#running.set(name, program);
    await program.ready();
  }

  async kill(name: string): Promise<void> {
    await this.#running.get(name)?.kill();
  }

  async stop(): Promise<void> {
    for (const name of this.programs.toReversed()) await this.#running.get(name)?.stop();
  }

  #agentConfig(site: Site): string {
    const { agent } = site;
    const secret = this.#workspace.state.agents[agent] ?? '';
    const dataDir = this.#workspace.path('agents', agent);
    const { ports, heartbeatS } = this.#options;
    const config = agentConfig({ site, secret, dataDir, ports, heartbeatS });
    return this.#workspace.writeConfig(`${agent}.yaml`, config);
  }

  #launch(name: string, [script = '', ...rest]: readonly string[]): Program {
    const logFile = this.#workspace.path('logs', `${name.replaceAll(' ', '-')}.log`);
    return new Program({ name, args: [join(ROOT, script), ...rest], logFile });
  }
}
