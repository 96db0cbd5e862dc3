import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SerialPort } from 'serialport';
import { Failure, messageOf } from '#shared/failure.ts';
import { SECOND_MS } from '#shared/units.ts';
import type { WireTap } from '../wire/recorder.ts';

/** Parameters of a serial port. */
interface SerialSettings {
  readonly baud: number;
  readonly parity: 'none' | 'even' | 'odd';
  readonly dataBits: 7 | 8;
  readonly stopBits: 1 | 2;
}

export interface LineAddress {
  /** `host:port`, or the path of a serial port. */
  readonly address: string;
  /** Only for a serial port, 9600 8N1 where it is missing. */
  readonly serial?: SerialSettings | undefined;
  /** How long opening may take, ms. */
  readonly timeoutMs: number;
  /** Hears what goes over every line that is opened. */
  readonly tap?: WireTap | undefined;
}

const DEFAULT_SERIAL: SerialSettings = { baud: 9_600, parity: 'none', dataBits: 8, stopBits: 1 };

const KEEPALIVE_MS = 30 * SECOND_MS;

const isSerialPath = (address: string): boolean => /^\/|^COM\d+$/.test(address);

/** @throws Failure `link-down` where the port cannot be opened in time */
export async function openLine(line: LineAddress): Promise<Duplex> {
  return isSerialPath(line.address) ? openSerial(line) : openSocket(line);
}

/** @returns a connected socket that already has a listener for `error` */
export async function openSocket({
  address,
  timeoutMs,
  tap,
}: Pick<LineAddress, 'address' | 'timeoutMs' | 'tap'>): Promise<Socket> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const socket = connect({
    host,
    port: Number(address.slice(colon + 1)),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_MS,
  });
  await opened(socket, 'connect', address, timeoutMs);
  tap?.attach(socket);
  return socket;
}

async function openSerial({
  address,
  serial = DEFAULT_SERIAL,
  timeoutMs,
  tap,
}: LineAddress): Promise<Duplex> {
  const port = new (await serialPort())({
    path: address,
    baudRate: serial.baud,
    parity: serial.parity,
    dataBits: serial.dataBits,
    stopBits: serial.stopBits,
  });
  closeWhenDestroyed(port);
  await opened(port, 'open', address, timeoutMs);
  keepTurning(port);
  tap?.attach(port);
  return port;
}

/**
 * The native part of serialport (bindings-cpp 13) calls back without letting promises go on, so what
 * was received waits for whatever else happens in this process, a time-out for instance. With
 * something to do right after each of its calls, nothing waits.
 */
function keepTurning(port: SerialPort): void {
  const binding: object = port.port ?? {};
  if (!('poller' in binding) || !(binding.poller instanceof EventEmitter)) return;
  for (const event of ['readable', 'writable', 'disconnect']) {
    binding.poller.on(event, () => setImmediate(nothing));
  }
}

function nothing(): void {}

/**
 * The stream of serialport 13 does nothing when it is destroyed, so that the port would stay open and
 * locked until the process ends; and when its device is unplugged it closes without being destroyed.
 */
function closeWhenDestroyed(port: SerialPort): void {
  Object.assign(port, {
    _destroy(error: Error | null, done: (error: Error | null) => void): void {
      if (port.isOpen) port.close(() => done(error));
      else done(error);
    },
  });
  port.once('close', () => port.destroy());
  // Given up while it was still opening.
  port.once('open', () => {
    if (port.destroyed) port.close();
  });
}

/** Loaded only where a serial port is used: it brings native code that some machines lack. */
async function serialPort(): Promise<typeof SerialPort> {
  try {
    return (await import('serialport')).SerialPort;
  } catch (error) {
    const message = `serial ports cannot be used on this machine: ${messageOf(error)}`;
    throw new Failure('link-down', message, { retry: 'never', cause: error });
  }
}

/** serialport puts what its native part says, `Error: …, cannot open PATH`, into its own message. */
const reasonOf = (cause: unknown, address: string): string =>
  messageOf(cause)
    .replace(/^Error: /, '')
    .replace(`, cannot open ${address}`, '');

/** Settles with the event, or destroys the line on an error or after the deadline. */
function opened(line: Duplex, event: string, address: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void => {
      clearTimeout(deadline);
      line.destroy();
      const message = `cannot open ${address}: ${reasonOf(cause, address)}`;
      reject(new Failure('link-down', message, { retry: 'later', cause }));
    };
    const deadline = setTimeout(() => failed('no answer in time'), timeoutMs);
    // Stays for the life of the line: an error without a listener would end the process.
    line.on('error', failed);
    line.once(event, () => {
      clearTimeout(deadline);
      resolve();
    });
  });
}

/**
 * Waits for silence on a line whose answers are thrown away meanwhile.
 * @param line its data must be read by someone, so that it flows
 * @param quietMs how long it must be silent
 * @param longestMs when to stop waiting for a line that is never silent
 */
export function silence(
  line: Duplex,
  { quietMs, longestMs }: { readonly quietMs: number; readonly longestMs: number },
): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(quiet);
      clearTimeout(longest);
      line.off('data', again);
      line.off('close', end);
      resolve();
    };
    const again = (): void => void quiet.refresh();
    const quiet = setTimeout(end, quietMs);
    const longest = setTimeout(end, longestMs);
    line.on('data', again);
    line.once('close', end);
  });
}

/** Bits of a character on a serial line: start, 8 data, parity, stop. */
const CHARACTER_BITS = 11;

/** Above this speed silence does not get shorter (Modbus over serial line V1.02, 2.5.1.1). */
const FASTEST_BAUD = 19_200;

/** @returns how long so many characters take, ms; behind a device server, those of 9600 Bd */
export function charactersMs(
  characters: number,
  { serial = DEFAULT_SERIAL }: Pick<LineAddress, 'serial'>,
): number {
  return (characters * CHARACTER_BITS * SECOND_MS) / Math.min(serial.baud, FASTEST_BAUD);
}
