import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { freePort } from '#shared/testing/ports.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');

/** A cloud of its own folder and ports, as a process; for tests only. */
export class CloudProcess {
  readonly url: string;
  readonly brokerUrl: string;
  readonly #folder: string;
  #process: ChildProcess | undefined;

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

  /** @throws Error with what it logged where it ends before it is ready */
  async start(): Promise<void> {
    const cloud = spawn(process.execPath, [MAIN, '--config', join(this.#folder, 'cloud.yaml')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = cloud;
    const said: string[] = [];
    cloud.stderr.on('data', (piece: Buffer) => said.push(piece.toString()));
    const ready = await saysReady(cloud.stdout, said);
    if (!ready) throw new Error(`the cloud ended before it was ready:\n${said.join('\n')}`);
    // Whatever it says from now on is read and dropped, so that it never waits for a reader.
    cloud.stdout.resume();
  }

  async stop(): Promise<void> {
    const cloud = this.#process;
    if (cloud === undefined || cloud.exitCode !== null || cloud.signalCode !== null) return;
    cloud.kill('SIGTERM');
    await once(cloud, 'exit');
  }

  /** Ends it as a power cut does, wherever it is. */
  async kill(): Promise<void> {
    const cloud = this.#process;
    if (cloud === undefined) return;
    cloud.kill('SIGKILL');
    if (cloud.signalCode === null) await once(cloud, 'exit');
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

/** @returns false where the stream ends before; every line is kept in `said` */
async function saysReady(stream: Readable, said: string[]): Promise<boolean> {
  for await (const line of createInterface({ input: stream })) {
    said.push(line);
    if (isReady(line)) return true;
  }
  return false;
}

function isReady(line: string): boolean {
  try {
    return (JSON.parse(line) as { msg?: unknown }).msg === 'ready';
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
