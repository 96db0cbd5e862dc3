import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** A scale of an ASCII protocol on a pseudo-terminal; see `serial-scale.py`. */
interface SerialScale {
  readonly baud: number;
  readonly eighthBit: 'data' | 'even' | 'odd' | 'stop';
  /** What it answers; `null` where it sends by itself. */
  readonly request: string | null;
  readonly frame: string;
}

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** @returns the path of its port, which goes with the test */
export async function serialScale({
  baud,
  eighthBit,
  request,
  frame,
}: SerialScale): Promise<string> {
  const script = join(import.meta.dirname, 'serial-scale.py');
  const args = [script, String(baud), eighthBit, hex(request ?? ''), hex(frame)];
  const scale = spawn('python3', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(scale, 'exit');
  onTestFinished(async () => {
    scale.kill('SIGKILL');
    await exited;
  });
  const lines = createInterface({ input: scale.stdout })[Symbol.asyncIterator]();
  return String((await lines.next()).value);
}
