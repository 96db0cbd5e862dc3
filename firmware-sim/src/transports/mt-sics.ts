import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { REPEAT_COMMAND, waitsForStability, type SicsDevice } from '../devices/mt-sics.ts';
import { lineTimeMs } from './line-speed.ts';

/** Patience of `S`, `Z` and `T`; devices ship with a few seconds. */
const STABILITY_DEADLINE_MS = 3_000;
/** How often the device looks, and how often `SIR` repeats: one conversion. */
const CONVERSION_MS = 100;
/** Longer than any command; such a line is a syntax error. */
const MAX_LINE = 64;

/** Serves one scale on a line of ASCII commands ended by CR LF. */
export function serveMtSics(
  line: {
    readonly device: SicsDevice;
    readonly baud: number;
    /** While false, nothing is answered. */
    readonly isOn: () => boolean;
  },
  client: Duplex,
): void {
  const { device, baud } = line;
  const waiting: string[] = [];
  const gone = new AbortController();
  let rest = '';
  let busy = false;
  let repeat: NodeJS.Timeout | undefined;

  async function work(): Promise<void> {
    busy = true;
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await respond(next);
      }
    } catch (error) {
      if (!gone.signal.aborted) throw error;
    } finally {
      busy = false;
    }
  }

  async function respond(command: string): Promise<void> {
    // Any command ends a running SIR.
    clearInterval(repeat);
    if (!line.isOn()) return;
    if (waitsForStability(command)) await stability();
    const text = `${device.answer(command)}\r\n`;
    await delay(lineTimeMs(baud, command.length + 2 + text.length), undefined, gone);
    client.write(text);
    if (command !== REPEAT_COMMAND) return;
    repeat = setInterval(() => {
      if (line.isOn()) client.write(`${device.answer(command)}\r\n`);
    }, CONVERSION_MS);
  }

  async function stability(): Promise<void> {
    for (let waited = 0; waited < STABILITY_DEADLINE_MS; waited += CONVERSION_MS) {
      if (device.stable()) return;
      await delay(CONVERSION_MS, undefined, gone);
    }
  }

  client.setEncoding('latin1');
  client.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n');
    // A line too long is kept just long enough to be refused at its end.
    rest = (lines.pop() ?? '').slice(0, MAX_LINE + 1);
    const commands = lines.map((text) => text.replace(/\r$/, '')).filter((text) => text !== '');
    waiting.push(...commands);
    if (!busy) void work();
  });
  client.on('close', () => {
    clearInterval(repeat);
    waiting.length = 0;
    gone.abort();
  });
}
