import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The cloud as its users run it, in a process and folder of its own. */
export interface CloudProcess {
  readonly broker: string;
  /** @throws Error with the problem's text where the API refuses */
  post(path: string, body: object): Promise<unknown>;
  /** One value of /metrics. */
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
}

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');

export async function startCloud(): Promise<CloudProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'offtake-bench-'));
  const [http, broker] = [await freePort(), await freePort()];
  const config = join(folder, 'cloud.yaml');
  await writeFile(
    config,
    `profile: embedded\ndataDir: data\nlog: info\nhttp: { port: ${http} }\nbroker: { port: ${broker} }\n`,
  );
  const child = spawn(process.execPath, [...process.execArgv, MAIN, '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await new Promise<void>((resolve, reject) => {
    void exited.then(([code]) => reject(new Error(`the cloud ended with ${String(code)}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"msg":"ready"')) resolve();
    });
  });
  const url = `http://127.0.0.1:${http}`;
  const key = (await readFile(join(folder, 'data', 'first-key'), 'utf8')).trim();
  return {
    broker: `mqtt://127.0.0.1:${broker}`,
    async post(path, body) {
      const answer = await fetch(`${url}/api/v1${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
      return await answer.json();
    },
    async metric(name) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
      if (line === undefined) throw new Error(`no metric ${name}`);
      return Number(line.slice(name.length + 1));
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}
