import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { freshFolder } from './folder.ts';

/** A listener in systemd's place; needs `python3`. */
export async function notifySocket(): Promise<{
  readonly path: string;
  /** Every state that was told, oldest first. */
  readonly states: readonly string[];
}> {
  const path = join(freshFolder(), 'notify');
  const script = join(import.meta.dirname, 'notify-socket.py');
  const listener = spawn('python3', [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(listener, 'exit');
  onTestFinished(async () => {
    listener.kill('SIGKILL');
    await exited;
  });
  const states: string[] = [];
  const lines = createInterface({ input: listener.stdout });
  await once(lines, 'line');
  lines.on('line', (state) => states.push(state));
  return { path, states };
}
