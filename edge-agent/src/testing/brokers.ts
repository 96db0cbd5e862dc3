import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { freePort } from '#shared/testing/ports.ts';
import { freshFolder } from './folder.ts';

/** A broker that a test can take away and bring back at the same address. */
export interface TestBroker {
  readonly url: string;
  stop(): Promise<void>;
  restart(): Promise<void>;
}

/** The broker that is built into the cloud. */
export async function aedesBroker(): Promise<TestBroker> {
  let port = 0;
  let running: { stop(): Promise<void> } | null = null;
  const start = async (): Promise<void> => {
    const aedes = await Aedes.createBroker();
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      aedes.handle(socket);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address === 'object' && address !== null) port = address.port;
    running = {
      stop: async () => {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => aedes.close(() => resolve(undefined)));
        server.close();
        await once(server, 'close');
      },
    };
  };
  const stop = async (): Promise<void> => {
    await running?.stop();
    running = null;
  };
  await start();
  return { url: `mqtt://127.0.0.1:${port}`, stop, restart: start };
}

/**
 * A broker as many run it outside of the cloud; needs `mosquitto`.
 * @param settings of its listener, as in mosquitto.conf
 */
export async function mosquittoBroker(settings: readonly string[] = []): Promise<TestBroker> {
  const port = await freePort();
  const config = join(freshFolder(), 'mosquitto.conf');
  writeFileSync(
    config,
    ['user root', 'allow_anonymous true', `listener ${port} 127.0.0.1`, ...settings, ''].join('\n'),
  );
  let stop: TestBroker['stop'] | null = null;
  const start = async (): Promise<void> => {
    const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin` };
    const broker = spawn('mosquitto', ['-c', config], { stdio: 'ignore', env });
    const exited = once(broker, 'exit');
    stop = async () => {
      broker.kill('SIGKILL');
      await exited;
    };
    await listening(port);
  };
  await start();
  return { url: `mqtt://127.0.0.1:${port}`, stop: async () => stop?.(), restart: start };
}

/** Settles when something accepts connections at this port. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
