import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { answer, type RegisterDevice } from '../modbus/pdu.ts';
import { createRtuReader, encodeRtu, type RtuFrame } from '../modbus/rtu.ts';
import { lineTimeMs } from './line-speed.ts';

/** No byte for this long ends a broken frame; several characters even at 1200 Bd. */
const SILENCE_MS = 50;
/** Written by everyone, answered by no one. */
const BROADCAST = 0;
/** Unit and CRC around a PDU. */
const FRAME_BYTES = 3;
/** Silence between two frames, 2.5.1.1 of the serial line specification. */
const PAUSE_CHARACTERS = 3.5;

/**
 * Serves the units on one Modbus RTU line, through a stream of bytes. Answers take the time they
 * would take on a line of this speed; what is broken or for nobody here gets silence.
 */
export function serveModbusRtu(
  line: { readonly units: ReadonlyMap<number, RegisterDevice>; readonly baud: number },
  client: Duplex,
): void {
  const reader = createRtuReader();
  const waiting: RtuFrame[] = [];
  let busy = false;

  async function work(): Promise<void> {
    busy = true;
    for (let frame = waiting.shift(); frame; frame = waiting.shift()) await respond(frame);
    busy = false;
  }

  async function respond({ unit, pdu }: RtuFrame): Promise<void> {
    if (unit === BROADCAST) {
      for (const device of line.units.values()) answer(device, pdu);
      return;
    }
    const device = line.units.get(unit);
    if (!device) return;
    const response = encodeRtu({ unit, pdu: answer(device, pdu) });
    const characters = pdu.length + FRAME_BYTES + PAUSE_CHARACTERS + response.length;
    await delay(lineTimeMs(line.baud, characters));
    if (client.writable) client.write(response);
  }

  function take(frames: readonly RtuFrame[]): void {
    waiting.push(...frames);
    // Nothing in `work` throws but a programmer's error, which is to end the process.
    if (!busy) void work();
  }

  let silence: NodeJS.Timeout | undefined;
  let silent: NodeJS.Immediate | undefined;
  const hear = (): void => {
    clearTimeout(silence);
    clearImmediate(silent);
  };
  client.on('data', (chunk: Buffer) => {
    hear();
    take(reader.push(chunk));
    // What came while this process stood still is read before the line is called silent.
    silence = setTimeout(() => {
      silent = setImmediate(() => take(reader.silence()));
    }, SILENCE_MS);
  });
  client.on('close', () => {
    hear();
    waiting.length = 0;
  });
}
