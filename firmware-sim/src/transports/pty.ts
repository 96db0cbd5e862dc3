import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { constants } from 'node:fs';
import { createInterface } from 'node:readline';
import { Failure, messageOf } from '#shared/failure.ts';

/** A link's TCP port offered as a serial device. */
export interface PseudoTerminal {
  readonly path: string;
  close(): Promise<void>;
}

/** What socat logs at `-d -d` once both sides are open. */
const SOCAT_RUNS = 'starting data transfer loop';

/**
 * Lets socat hold a pseudo-terminal at `path` (a symbolic link) before a local port.
 * @param onExit socat ended by itself
 * @throws Failure `pty-unavailable`
 */
export async function openPty(options: {
  readonly folder: string;
  readonly path: string;
  readonly port: number;
  readonly onExit: (message: string) => void;
}): Promise<PseudoTerminal> {
  const { folder, path, port, onExit } = options;
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw unavailable(path, messageOf(cause), cause);
  });
  const socat = spawn('socat', ['-d', '-d', `PTY,link=${path},rawer`, `TCP:127.0.0.1:${port}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await started(socat, path);
  // Held open, so that a client that closes its end does not hang the terminal up.
  const hold = await open(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  const exit = (code: number | null): void => onExit(`${path}: socat ended with status ${code}`);
  socat.once('exit', exit);
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    socat.off('exit', exit);
    if (socat.exitCode === null && socat.signalCode === null) {
      const gone = once(socat, 'exit');
      socat.kill();
      await gone;
    }
    await hold.close();
  };
  return {
    path,
    close() {
      closed ??= close();
      return closed;
    },
  };
}

async function started(socat: ChildProcess, path: string): Promise<void> {
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
      if (line.includes(SOCAT_RUNS)) resolve();
    });
    lines.once('close', () => reject(unavailable(path, last)));
  });
}

function unavailable(path: string, why: string, cause?: unknown): Failure {
  const message = `pseudo-terminal ${path}: ${why}`;
  return new Failure('pty-unavailable', message, { retry: 'never', cause });
}
