import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#shared/testing/ports.ts';
import { Program } from '../../demo/src/program.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');

/** A cloud of its own folder and ports, as a process; for tests only. */
export class CloudProcess {
  readonly url: string;
  readonly brokerUrl: string;
  readonly #folder: string;
  #program: Program | undefined;

  private constructor(folder: string, httpPort: number, brokerPort: number) {
    this.#folder = folder;
    this.url = `http://127.0.0.1:${httpPort}`;
    this.brokerUrl = `mqtt://127.0.0.1:${brokerPort}`;
  }

  static async create(): Promise<CloudProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'offtake-cloud-'));
    const [httpPort, brokerPort] = [await freePort(), await freePort()];
    const config = [
      'profile: embedded',
      'dataDir: data',
      `http: { host: 127.0.0.1, port: ${httpPort} }`,
      `broker: { host: 127.0.0.1, port: ${brokerPort} }`,
      'log: info',
    ];
    await writeFile(join(folder, 'cloud.yaml'), `${config.join('\n')}\n`);
    return new CloudProcess(folder, httpPort, brokerPort);
  }

  /** @throws Failure with its complaint where it ends before it is ready */
  async start(): Promise<void> {
    this.#program = new Program({
      name: 'cloud',
      args: [MAIN, '--config', join(this.#folder, 'cloud.yaml')],
      logFile: join(this.#folder, 'cloud.log'),
    });
    await this.#program.ready();
  }

  async stop(): Promise<void> {
    await this.#program?.stop();
  }

  /** Ends it as a power cut does, wherever it is. */
  async kill(): Promise<void> {
    await this.#program?.kill();
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** The supplier's key that the first start makes. */
  async firstKey(): Promise<string> {
    return (await readFile(join(this.#folder, 'data', 'first-key'), 'utf8')).trim();
  }
}
