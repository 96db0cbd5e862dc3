import { once } from 'node:events';
import { chmodSync, closeSync, constants, existsSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Failure, messageOf } from '#shared/failure.ts';
import { SECOND_MS } from '#shared/units.ts';
import type { StatusReport } from './report.ts';

const NAME = 'agent.sock';

/** `sun_path` of Linux has 108 bytes, the last one 0 (unix(7)); others have 104. */
const LONGEST_PATH = 103;

/** An agent that is busy with its disk answers late; one that hangs does not answer. */
const ANSWER_MS = 5 * SECOND_MS;

/** Only the owner may ask: the report names addresses inside the customer's network. */
const OWNER_ONLY = 0o600;

/**
 * Answers everyone who connects with one report. The folder is to be locked: a socket that is left
 * over from a killed agent is replaced.
 * @returns what stops it
 * @throws Failure `status-unavailable`
 */
export async function serveStatus(folder: string, report: () => StatusReport): Promise<() => void> {
  const place = shortPath(folder);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.end(JSON.stringify(report()));
  });
  try {
    rmSync(join(folder, NAME), { force: true });
    const listening = once(server, 'listening');
    server.listen(place.path);
    // The socket is there as soon as listen() returns, or never: nobody else got in between.
    if (existsSync(place.path)) chmodSync(place.path, OWNER_ONLY);
    await listening;
  } catch (error) {
    place.close();
    server.close();
    const message = `cannot offer the agent's status in ${folder}: ${messageOf(error)}`;
    throw new Failure('status-unavailable', message, { retry: 'later', cause: error });
  }
  // It is no reason to stay alive.
  server.unref();
  return () => {
    for (const socket of open) socket.destroy();
    server.close(() => place.close());
  };
}

/** @throws Failure `not-running` or `status-unavailable` */
export async function askStatus(folder: string): Promise<StatusReport> {
  let place: ShortPath | null = null;
  try {
    place = shortPath(folder);
    const socket = connect(place.path);
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer in time')));
    await once(socket, 'connect');
    return JSON.parse(await text(socket)) as StatusReport;
  } catch (error) {
    throw askFailure(folder, error);
  } finally {
    place?.close();
  }
}

function askFailure(folder: string, error: unknown): Failure {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    const message = `no agent is running on ${folder}: start it, or name its own configuration`;
    return new Failure('not-running', message, { retry: 'later', cause: error });
  }
  const advice = code === 'EACCES' ? '; ask as the user that the agent runs as, or as root' : '';
  const message = `the agent on ${folder} cannot be asked: ${messageOf(error)}${advice}`;
  return new Failure('status-unavailable', message, { retry: 'later', cause: error });
}

interface ShortPath {
  readonly path: string;
  close(): void;
}

/** The socket's path; that of a long one goes through the folder's handle, which Linux shows as a path. */
function shortPath(folder: string): ShortPath {
  const path = join(folder, NAME);
  if (Buffer.byteLength(path) <= LONGEST_PATH) return { path, close: () => {} };
  const handle = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${handle}/${NAME}`, close: () => closeSync(handle) };
}
