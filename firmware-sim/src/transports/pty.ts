import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, open } from 'node:fs/promises';
import { constants, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure, messageOf } from '#shared/failure.ts';

/** A link's TCP port offered as a serial device. */
export interface PseudoTerminal {
  readonly path: string;
  close(): Promise<void>;
}

/** What socat logs at `-d -d` once both sides are open. */
const SOCAT_RUNS = 'starting data transfer loop';
/** And once the terminal is there for somebody to open it. */
const SOCAT_WAITS = 'PTY is ';
const LINK_CHECK_MS = 5;

/** How long an adapter that was pulled out stays away. */
const UNPLUGGED_MS = 500;

/**
 * Lets socat hold a pseudo-terminal at `path` (a symbolic link, as those of /dev/serial/by-id) before a
 * local port. A connection that the port ends is, as with a USB adapter that is pulled out, the end of
 * the terminal; it comes back at the same path, mostly under another number, as soon as the port
 * lets it.
 * @param onUnplugged it is gone, and will be back
 * @throws Failure `pty-unavailable`
 */
export async function openPty(options: {
  readonly folder: string;
  readonly path: string;
  readonly port: number;
  readonly onUnplugged: (message: string) => void;
}): Promise<PseudoTerminal> {
  const { folder, path, port, onUnplugged } = options;
  const stopping = new AbortController();
  await makeFolder(folder, path);
  await refuseFile(path);
  let socat = await plug(path, port);
  const keep = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await socat.gone;
      if (stopping.signal.aborted) return;
      onUnplugged(`${path}: unplugged`);
      await delay(UNPLUGGED_MS, undefined, { signal: stopping.signal });
      socat = await plug(path, port).catch(() => UNPLUGGED);
    }
  };
  const kept = keep().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  return {
    path,
    async close() {
      stopping.abort();
      await socat.end();
      await kept;
      await socat.end();
    },
  };
}

interface Plugged {
  /** Settles when the terminal is gone. */
  readonly gone: Promise<unknown>;
  /** Takes it away; may be called twice. */
  end(): Promise<void>;
}

/** A port that takes no connection has no terminal. */
const UNPLUGGED: Plugged = { gone: Promise.resolve(), end: () => Promise.resolve() };

/** @throws Failure `pty-unavailable` */
async function plug(path: string, port: number): Promise<Plugged> {
  const socat = spawnSocat(['-d', '-d', `PTY,link=${path},rawer`, `TCP:127.0.0.1:${port}`]);
  await started(socat, path, SOCAT_RUNS);
  // Held open, so that a client that closes its end does not hang the terminal up.
  const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
  const hold = await open(path, flags).catch((cause: unknown) => {
    throw unavailable(path, messageOf(cause), cause);
  });
  const gone = (socat.exitCode === null ? once(socat, 'exit') : Promise.resolve()).then(() =>
    hold.close(),
  );
  return {
    gone,
    async end() {
      socat.kill();
      await gone;
    },
  };
}

/**
 * Lets socat offer a local port at `path` for as long as somebody has it open, again and again: each
 * time is a connection of its own. A connection that the port ends is, as a cable pulled out, the end
 * of the terminal; it comes back at once.
 * @param onLost socat could not be started again
 * @throws Failure `pty-unavailable`
 */
export async function serveAsPty(options: {
  readonly folder: string;
  readonly path: string;
  readonly port: number;
  readonly onLost: (failure: unknown) => void;
}): Promise<PseudoTerminal> {
  const { folder, path, port, onLost } = options;
  await makeFolder(folder, path);
  await refuseFile(path);
  const terminal = `PTY,link=${path},rawer,wait-slave,pty-interval=0.02`;
  let closing = false;
  const start = async (): Promise<ChildProcess> => {
    const socat = spawnSocat(['-d', '-d', '-t', '0.1', terminal, `TCP:127.0.0.1:${port}`]);
    const gone = new Promise<void>((resolve) => {
      socat.once('exit', () => resolve());
    });
    await started(socat, path, SOCAT_WAITS);
    // It makes the link right after it said so.
    while (!existsSync(path) && socat.exitCode === null) await delay(LINK_CHECK_MS);
    void gone.then(() => {
      if (!closing) running = start();
      return running.then(ignored, onLost);
    });
    return socat;
  };
  let running = start();
  await running;
  return {
    path,
    async close() {
      closing = true;
      await running.then(end, () => undefined);
    },
  };
}

const ignored = (): void => {};

/** Socat would remove whatever stands there. */
async function refuseFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null || found.isSymbolicLink()) return;
  throw unavailable(path, 'there is a file of this name');
}

const spawnSocat = (args: readonly string[]): ChildProcess =>
  spawn('socat', args, { stdio: ['ignore', 'ignore', 'pipe'] });

async function makeFolder(folder: string, path: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw unavailable(path, messageOf(cause), cause);
  });
}

async function end(socat: ChildProcess): Promise<void> {
  if (socat.exitCode !== null || socat.signalCode !== null) return;
  const gone = once(socat, 'exit');
  socat.kill();
  await gone;
}

/** @param sign what socat logs once it is so far */
async function started(socat: ChildProcess, path: string, sign: string): Promise<void> {
  if (!socat.stderr) throw new TypeError('socat was spawned without stderr');
  const lines = createInterface(socat.stderr);
  await new Promise<void>((resolve, reject) => {
    let last = 'it ended at once';
    socat.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'socat is not installed' : cause.message;
      reject(unavailable(path, why, cause));
    });
    lines.on('line', (line) => {
      last = line;
      if (line.includes(sign)) resolve();
    });
    lines.once('close', () => reject(unavailable(path, last)));
  });
}

function unavailable(path: string, why: string, cause?: unknown): Failure {
  const message = `pseudo-terminal ${path}: ${why}`;
  return new Failure('pty-unavailable', message, { retry: 'never', cause });
}
