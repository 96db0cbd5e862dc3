import type { ModbusTable } from '../core/request-plan.ts';

/** A request to read, and all that its answer must agree with. */
export interface ModbusRequest {
  readonly unit: number;
  readonly table: ModbusTable;
  /** Wire address. */
  readonly first: number;
  /** Registers or bits. */
  readonly count: number;
}

/** Registers, or bits as 0 and 1; or the exception that the device answered with. */
export type ModbusAnswer =
  | { readonly ok: true; readonly words: readonly number[] }
  | { readonly ok: false; readonly exception: number };

/** Why bytes are no answer to a request: for people. */
export class BrokenFrame extends Error {}

const FUNCTION: Readonly<Record<ModbusTable, number>> = {
  coil: 1,
  discrete: 2,
  holding: 3,
  input: 4,
};
const EXCEPTION_FLAG = 0x80;

/** Unit, function, byte count. */
const HEAD = 3;
/** Unit, function, exception. */
const EXCEPTION_BYTES = 3;

const holdsBits = ({ table }: ModbusRequest): boolean => table === 'coil' || table === 'discrete';

const dataBytes = (request: ModbusRequest): number =>
  holdsBits(request) ? Math.ceil(request.count / 8) : 2 * request.count;

/**
 * @param head at least two bytes of an answer
 * @returns bytes of unit and PDU of the whole answer
 */
export function answerBytes(request: ModbusRequest, head: Buffer): number {
  return head[1] === (FUNCTION[request.table] | EXCEPTION_FLAG)
    ? EXCEPTION_BYTES
    : HEAD + dataBytes(request);
}

/**
 * What modbus-serial leaves unlooked at, or looks at less closely than a weight needs.
 * @param frame unit and PDU, whole, neither more nor less
 * @throws BrokenFrame where it is not the answer to this request
 */
export function checkAnswer(request: ModbusRequest, frame: Buffer): void {
  const [unit, code, third] = frame;
  const expected = FUNCTION[request.table];
  if (unit !== request.unit) throw new BrokenFrame(`an answer of unit ${unit ?? 'none'}`);
  if (code === (expected | EXCEPTION_FLAG)) {
    if (frame.length === EXCEPTION_BYTES) return;
    throw new BrokenFrame(`an exception of ${frame.length} bytes`);
  }
  if (code !== expected) throw new BrokenFrame(`an answer of function ${code ?? 'none'}`);
  const bytes = dataBytes(request);
  if (third !== bytes || frame.length !== HEAD + bytes) {
    const says = `${frame.length - HEAD} data bytes that says ${third ?? 0}`;
    throw new BrokenFrame(`an answer of ${says} instead of ${bytes}`);
  }
}

/** Bytes of the CRC that ends a frame on a serial line. */
export const CRC_BYTES = 2;

export function withCrc(frame: Buffer): Buffer {
  const whole = Buffer.alloc(frame.length + CRC_BYTES);
  frame.copy(whole);
  whole.writeUInt16LE(crc16(frame), frame.length);
  return whole;
}

/** CRC-16/MODBUS of the bytes, one table look-up a byte; Modbus over serial line V1.02, 6.2.2. */
export function crc16(bytes: Buffer): number {
  let crc = 0xffff;
  for (const byte of bytes) crc = (crc >> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0);
  return crc;
}

const CRC_TABLE: readonly number[] = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  return crc;
});
