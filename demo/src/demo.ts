import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario, Site } from '../../firmware-sim/src/scenario/scenario.ts';
import { Api } from './api.ts';
import { agentConfig, cloudConfig, type Ports } from './configuration.ts';
import { historyArrived } from './history.ts';
import { Program } from './program.ts';
import { provision } from './provision.ts';
import type { Workspace } from './workspace.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export interface DemoOptions {
  readonly workspace: Workspace;
  readonly scenario: Scenario;
  readonly scenarioFile: string;
  readonly ports: Ports;
  /** Tells a person what goes on; a share is told again and again while it grows. */
  readonly say: (text: string) => void;
  readonly progress: (text: string, share: number) => void;
}

/** The simulator, an agent per site, and the cloud, started in the order of the data's way. */
export class Demo {
  readonly #options: DemoOptions;
  readonly #programs: Program[] = [];
  readonly #failed = Promise.withResolvers<never>();
  readonly #stop = new AbortController();

  constructor(options: DemoOptions) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#options.ports.http}`;
  }

  /**
   * Settles when two weeks of history have arrived and all is live.
   * @returns the supplier's API key
   * @throws Failure of whichever program fails, or an AbortError after {@link stop}
   */
  async start(): Promise<string> {
    const [key] = await Promise.race([
      Promise.all([this.#startCloud(), this.#makeHistory(), this.#buildTerminals()]),
      this.#failed.promise,
    ]);
    await Promise.race([this.#startSites(key), this.#failed.promise]);
    return key;
  }

  /** Rejects with the failure of the first program that ends by itself. */
  failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Stops in the order of the data's way, so that what was measured still arrives. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const cloud = this.#programs.filter(({ name }) => name === 'cloud');
    const others = this.#programs.filter(({ name }) => name !== 'cloud');
    await Promise.all(others.map((program) => program.stop()));
    await Promise.all(cloud.map((program) => program.stop()));
  }

  /** @returns the supplier's API key */
  async #startCloud(): Promise<string> {
    const { workspace, ports } = this.#options;
    const config = workspace.writeConfig('cloud.yaml', cloudConfig(workspace.path('cloud'), ports));
    await this.#launch('cloud', ['cloud/src/main.ts', '--config', config]).ready();
    return readFileSync(workspace.path('cloud', 'first-key'), 'utf8').trim();
  }

  /** What the scales' own memories logged before their agents were there. */
  async #makeHistory(): Promise<void> {
    const { workspace, scenario, scenarioFile, say } = this.#options;
    if (scenario.sites.every(({ agent }) => workspace.hasHistory(agent))) return;
    say(`simulating ${scenario.historyDays} days of use at ${scenario.sites.length} sites`);
    await this.#launch('sim history', [
      'firmware-sim/src/main.ts',
      'history',
      `--scenario=${scenarioFile}`,
      `--state=${workspace.path('sim')}`,
      `--out=${workspace.path('recordings')}`,
    ]).done();
  }

  /** Only where they are missing or older than their sources. */
  async #buildTerminals(): Promise<void> {
    const newest = (pattern: string): number =>
      Math.max(0, ...globSync(pattern, { cwd: ROOT }).map((file) => mtime(join(ROOT, file))));
    const built = newest('cloud/terminals/dist/*/index.html');
    if (
      built > newest('cloud/terminals/{*.*,src/**/*.*}') &&
      built > mtime(join(ROOT, 'package-lock.json'))
    )
      return;
    this.#options.say('building the terminals');
    await this.#launch('build', [
      'node_modules/vite/bin/vite.js',
      'build',
      'cloud/terminals',
      '--logLevel=warn',
    ]).done();
  }

  async #startSites(key: string): Promise<void> {
    const { workspace, scenario, scenarioFile, progress } = this.#options;
    const api = new Api(this.url, key);
    await provision(scenario, api, workspace);
    await Promise.all([
      this.#launch('sim', [
        'firmware-sim/src/main.ts',
        `--scenario=${scenarioFile}`,
        `--state=${workspace.path('sim')}`,
      ]).ready(),
      ...scenario.sites.map((site) => this.#startAgent(site)),
    ]);
    const world = JSON.parse(readFileSync(workspace.path('sim', 'state.json'), 'utf8')) as {
      historyFrom: number;
    };
    await historyArrived(
      api,
      world.historyFrom,
      (share) => progress('history arriving', share),
      this.#stop.signal,
    );
  }

  async #startAgent(site: Site): Promise<void> {
    const { workspace, ports } = this.#options;
    const { agents, backfilled } = workspace.state;
    const dataDir = workspace.path('agents', site.agent);
    const config = workspace.writeConfig(
      `${site.agent}.yaml`,
      agentConfig({ site, secret: agents[site.agent] ?? '', dataDir, ports }),
    );
    const agent = 'edge-agent/src/main.ts';
    if (!backfilled.includes(site.agent)) {
      await this.#launch(`${site.agent} backfill`, [
        agent,
        'backfill',
        `--config=${config}`,
        `--recording=${workspace.recording(site.agent)}`,
      ]).done();
      backfilled.push(site.agent);
      workspace.save();
    }
    await this.#launch(site.agent, [agent, '--config', config]).ready();
  }

  #launch(name: string, args: readonly string[]): Program {
    const { workspace } = this.#options;
    const [script = '', ...rest] = args;
    this.#stop.signal.throwIfAborted();
    const program = new Program({
      name,
      args: [join(ROOT, script), ...rest],
      logFile: workspace.path('logs', `${name.replaceAll(' ', '-')}.log`),
    });
    this.#programs.push(program);
    void program.ended.then((failure) => failure && this.#failed.reject(failure));
    return program;
  }
}

function mtime(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
