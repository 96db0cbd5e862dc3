import { z } from 'zod';
import { binId, ID_PATTERN } from '#shared/ids.ts';

const BAUD_RATES = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] as const;

export const id = z.string().regex(ID_PATTERN, `an id: ${ID_PATTERN.source}`);

const HOST_AND_PORT = /^(?:\[[0-9A-Fa-f:]+\]|[^\s:/]+):(\d{1,5})$/;

function isHostAndPort(text: string): boolean {
  const port = Number(HOST_AND_PORT.exec(text)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}

export const hostAndPort = z.string().refine(isHostAndPort, 'host:port, port 1 to 65535');
export const serialPath = z
  .string()
  .regex(/^\/|^COM\d+$/, 'the path of a serial port, e.g. /dev/ttyUSB0');

export const serial = z.strictObject({
  baud: z.literal(BAUD_RATES).default(9_600),
  parity: z.enum(['none', 'even', 'odd']).default('none'),
  dataBits: z.literal([7, 8]).default(8),
  stopBits: z.literal([1, 2]).default(1),
});

/** What every scale has, whatever its protocol. */
export const scale = {
  bin: id.transform(binId),
  divisionMg: z.int().min(1),
  pollMs: z.int().min(50).max(3_600_000).default(1_000),
};

/** What every link has, whatever its protocol. */
export const link = {
  name: id,
  timeoutMs: z.int().min(20).max(60_000).default(1_000),
  /** Silence between opening the line and the first request, ms; learned where it is left out. */
  pauseAfterConnectMs: z.int().min(0).max(10_000).optional(),
};

/** Device addresses that a Modbus serial line has; 0 is a broadcast and answers nothing. */
const HIGHEST_UNIT = 247;

/** Where a bin is read over Modbus. */
export const place = {
  bin: scale.bin,
  pollMs: scale.pollMs,
  unit: z.int().min(1).max(HIGHEST_UNIT),
};
