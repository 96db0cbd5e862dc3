import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { AsciiDevice, AsciiOutcome } from '../devices/ascii.ts';
import { lineTimeMs } from './line-speed.ts';

/** An indicator converts ten times a second and sends nothing twice. */
const CONVERSION_MS = 100;
/** Longer than any command: what has no end by then is noise. */
const MAX_COMMAND = 64;
/** Without power nobody hears a command. */
const IGNORED: AsciiOutcome = { reply: null };

/**
 * Serves one scale on a line of its own.
 * @param sends whether it sends without being asked, as fast as it converts and the line allows
 */
export function serveAscii(
  line: {
    readonly device: AsciiDevice;
    readonly baud: number;
    readonly sends: boolean;
    /** While false, nothing is answered or sent. */
    readonly isOn: () => boolean;
  },
  client: Duplex,
): void {
  const { device, baud } = line;
  const gone = new AbortController();
  const waiting: string[] = [];
  let rest = '';
  let answering = false;
  let streaming = false;
  let streams = line.sends;
  const isAsked = (): boolean => !streams;

  async function answer(): Promise<void> {
    answering = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { reply, stream } = line.isOn() ? device.execute(next) : IGNORED;
      if (reply !== null) await send(reply, lineTimeMs(baud, next.length + reply.length));
      if (stream !== undefined) streams = stream;
      if (streams && !streaming) start(repeat());
    }
    answering = false;
  }

  async function repeat(): Promise<void> {
    streaming = true;
    while (!isAsked()) {
      const frame = device.frame();
      await send(frame, Math.max(CONVERSION_MS, lineTimeMs(baud, frame.length)));
    }
    streaming = false;
  }

  async function send(bytes: Buffer, takesMs: number): Promise<void> {
    await delay(takesMs, undefined, gone);
    // A serial line does not wait for anybody: what a slow reader has no room for is lost.
    if (line.isOn() && !client.writableNeedDrain) client.write(bytes);
  }

  /** Nothing in there throws but a programmer's error, which is to end the process. */
  function start(work: Promise<void>): void {
    void work.catch((error: unknown) => {
      if (!gone.signal.aborted) throw error;
    });
  }

  client.setEncoding('latin1');
  client.on('data', (chunk) => {
    rest += String(chunk);
    for (let length = device.commandLength(rest); length > 0;) {
      waiting.push(rest.slice(0, length));
      rest = rest.slice(length);
      length = device.commandLength(rest);
    }
    rest = rest.slice(-MAX_COMMAND);
    if (!answering && waiting.length > 0) start(answer());
  });
  client.on('close', () => {
    waiting.length = 0;
    gone.abort();
  });
  if (streams) start(repeat());
}
