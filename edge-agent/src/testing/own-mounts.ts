import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { requireProgram } from '#shared/testing/programs.ts';

const USER_AND_MOUNTS = ['-U', '-m', '--preserve-credentials'];

/** Whether a program may be given mounts of its own here: containers may forbid it. */
export function requireMounts(): boolean {
  const isThere = requireProgram('unshare') && requireProgram('nsenter') && requireProgram('mount');
  if (!isThere) return false;
  if (spawnSync('unshare', ['-rm', 'true']).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error('mount namespaces are not allowed here');
  process.stderr.write(
    'skipped, since mount namespaces are not allowed: the tests that need them\n',
  );
  return false;
}

export type Mounted = ChildProcessByStdio<null, Readable, null>;

/**
 * Runs a program that sees mounts which nobody else does, so that a disk really is read-only or full.
 * @param mounts shell commands that are run before it
 */
export function spawnWithMounts(mounts: string, program: readonly string[]): Mounted {
  const args = ['-rm', 'sh', '-c', `${mounts} && exec "$@"`, 'sh', ...program];
  return spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Runs a shell command among the mounts of a program: the disk is mended, or breaks. */
export function amongMounts({ pid }: Mounted, command: string): void {
  const args = ['-t', String(pid), ...USER_AND_MOUNTS, 'sh', '-c', command];
  const { status, stderr } = spawnSync('nsenter', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
}
