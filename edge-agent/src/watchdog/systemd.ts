import { spawn } from 'node:child_process';
import type { Log } from '#shared/log.ts';
import { SECOND_MS } from '#shared/units.ts';

/** Longer than systemd-notify itself waits for systemd to have read what it sent (5 s). */
const DEADLINE_MS = 10 * SECOND_MS;

/** One or more of sd_notify(3), e.g. `READY=1`. */
export type Notify = (...states: readonly string[]) => void;

/**
 * Tells systemd by its own program: Node has no datagram sockets of the unix kind, and native code
 * for one message a minute is not worth its builds. The unit needs `NotifyAccess=all`, since the
 * message is another process's. Messages go one after the other, in their order.
 * @param socket `NOTIFY_SOCKET`; undefined where nobody listens
 */
export function systemdNotify(socket: string | undefined, log: Log): Notify {
  if (socket === undefined) return () => {};
  let last = Promise.resolve();
  let isBroken = false;
  const send = async (states: readonly string[]): Promise<void> => {
    const fault = await run(states, socket);
    if (fault !== null && !isBroken) log.warn({ fault }, 'cannot tell systemd how it goes');
    isBroken = fault !== null;
  };
  return (...states) => {
    last = last.then(() => send(states));
  };
}

/** @returns what went wrong, if anything */
function run(states: readonly string[], socket: string): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn('systemd-notify', [...states], {
      stdio: 'ignore',
      timeout: DEADLINE_MS,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', NOTIFY_SOCKET: socket },
    });
    child.on('error', ({ message }) => resolve(message));
    child.on('exit', (code) => resolve(code === 0 ? null : `systemd-notify ended with ${code}`));
  });
}
