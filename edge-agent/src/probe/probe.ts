import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { Failure } from '#shared/failure.ts';
import { openLine, type LineAddress } from '../scale/line.ts';
import type { ModbusLine } from '../scale/modbus-line.ts';
import { RtuLine } from '../scale/rtu-line.ts';
import { TcpLine } from '../scale/tcp-line.ts';
import { askForAscii, listenForAscii, type FoundAscii } from './ascii.ts';
import { EIGHTH_BITS } from './core/eighth-bit.ts';
import { answers } from './registers.ts';
import { weigh, type Weighed, type WeighOptions } from './weighing.ts';

export type SerialSettings = NonNullable<LineAddress['serial']>;

export interface ProbeOptions extends WeighOptions {
  /** `host:port`, or the path of a serial port. */
  readonly address: string;
  /** Unit ids in the order in which they are tried. */
  readonly units: readonly number[];
  readonly timeoutMs: number;
  /** How long a line is listened to before anything is asked, ms. */
  readonly listenMs: number;
}

export type ModbusProtocol = 'modbus-tcp' | 'modbus-rtu-over-tcp' | 'modbus-rtu';

export interface FoundLine {
  readonly address: string;
  readonly serial: SerialSettings | null;
}

export type ProbeResult =
  | { readonly kind: 'nothing'; readonly tried: string }
  | ({ readonly kind: 'ascii'; readonly weightMg: number } & FoundAscii & FoundLine)
  | ({
      readonly kind: 'modbus';
      readonly protocol: ModbusProtocol;
      readonly unit: number;
    } & Weighed &
      FoundLine);

/** The usual ones first. */
const SERIAL: readonly SerialSettings[] = [
  9_600, 19_200, 38_400, 115_200, 57_600, 4_800, 2_400, 1_200,
]
  .flatMap((baud) => (['none', 'even', 'odd'] as const).map((parity) => ({ baud, parity })))
  .map((settings) => ({ ...settings, dataBits: 8, stopBits: 1 }));

const isSerial = (address: string): boolean => !/:\d+$/.test(address);

/**
 * Finds out how a scale speaks, with a known weight on it. It listens, reads registers and asks for
 * weights; nothing that it sends changes anything on any scale.
 * @throws Failure `link-down` where the line cannot be opened
 */
export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  const { address } = options;
  if (!isSerial(address)) {
    const at = { address, serial: null };
    const found =
      (await tryLine(options, at, { protocol: 'modbus-tcp', how: 'Modbus TCP' })) ??
      (await tryLine(options, at, { protocol: 'modbus-rtu-over-tcp', how: 'ASCII, RTU over TCP' }));
    const tried = `${address} as Modbus TCP, as RTU over TCP, and with every ASCII protocol`;
    return found ?? { kind: 'nothing', tried };
  }
  for (const [place, serial] of SERIAL.entries()) {
    const how = `${place + 1} of ${SERIAL.length}: ${serial.baud} Bd, parity ${serial.parity}`;
    const found = await tryLine(options, { address, serial }, { protocol: 'modbus-rtu', how });
    if (found !== null) return found;
  }
  const tried = `${address} at ${SERIAL.length} speeds and parities, Modbus RTU and every ASCII protocol`;
  return { kind: 'nothing', tried };
}

interface Attempt {
  readonly protocol: ModbusProtocol;
  /** For people. */
  readonly how: string;
}

async function tryLine(
  options: ProbeOptions,
  at: FoundLine,
  { protocol, how }: Attempt,
): Promise<ProbeResult | null> {
  const { say, timeoutMs, units, listenMs, weightMg } = options;
  const { serial, address } = at;
  const place = { address, timeoutMs, ...(serial !== null && { serial }) };
  const stream = await openLine({ ...place, timeoutMs: Math.max(2_000, timeoutMs) });
  try {
    say(`${how}: listening`);
    const heard = await listenForAscii(stream, listenMs);
    if (heard !== null) return { kind: 'ascii', weightMg, ...at, ...heard };
    const line = protocol === 'modbus-tcp' ? new TcpLine(stream) : new RtuLine(stream, place);
    const unit = await firstUnit({ line, timeoutMs }, units, (id) => say(`${how}: unit ${id}?`));
    if (unit !== null) {
      say(`${how}: unit ${unit} answers`);
      const weighed = await weigh({ line, unit, timeoutMs }, options);
      return { kind: 'modbus', protocol, unit, ...at, ...weighed };
    }
    // Eight bits without parity carry the ASCII protocols in seven bits as well.
    if (protocol === 'modbus-tcp' || (serial !== null && serial.parity !== 'none')) return null;
    say(`${how}: asking for a weight in every ASCII protocol`);
    // A device server has bits and parity of its own, and hands on eight bits.
    const uses = serial === null ? (['data'] as const) : EIGHTH_BITS;
    const asked = await askForAscii(stream, { timeoutMs, devices: units, uses });
    return asked && { kind: 'ascii', weightMg, ...at, ...asked };
  } catch (error) {
    // A device that speaks otherwise hangs up on what it does not understand.
    if (error instanceof Failure && error.code === 'link-down' && stream.destroyed) return null;
    throw error;
  } finally {
    await closed(stream);
  }
}

/** A serial port is free for the next attempt only when it is closed, which takes its time. */
async function closed(stream: Duplex): Promise<void> {
  if (stream.closed) return;
  const isClosed = once(stream, 'close');
  stream.destroy();
  await isClosed;
}

async function firstUnit(
  { line, timeoutMs }: { line: ModbusLine; timeoutMs: number },
  units: readonly number[],
  onTry: (unit: number) => void,
): Promise<number | null> {
  for (const unit of units) {
    onTry(unit);
    if (await answers({ line, unit, timeoutMs })) return unit;
  }
  return null;
}
