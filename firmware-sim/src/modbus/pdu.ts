/**
 * The application layer of Modbus, server's side.
 * Source: MODBUS Application Protocol Specification V1.1b3, clauses 6.3, 6.4, 6.6, 6.12 and 7.
 */
export const EXCEPTION = {
  illegalFunction: 0x01,
  illegalAddress: 0x02,
  illegalValue: 0x03,
  targetFailedToRespond: 0x0b,
} as const;
type Exception = (typeof EXCEPTION)[keyof typeof EXCEPTION];

type RegisterTable = 'holding' | 'input';

/** Registers of one unit. Addresses are those on the wire: 30001 and 40001 are 0. */
export interface RegisterDevice {
  /** Most registers of one request; absent: what the standard allows. */
  readonly maxRegisters?: number;
  /** Function codes it knows; absent: 3, 4, 6 and 16. */
  readonly functions?: readonly number[];
  /** All of one request come from the same sample; `null` where an address does not exist. */
  read(table: RegisterTable, address: number, count: number): readonly number[] | null;
  /** Coils and discrete inputs, alike; absent: there are none. */
  readBits?(address: number, count: number): readonly boolean[] | null;
  /** Holding registers only. */
  write(address: number, values: readonly number[]): 'done' | 'illegal-address' | 'illegal-value';
}

export const READ_COILS = 0x01;
const READ_DISCRETE = 0x02;
const READ_HOLDING = 0x03;
export const READ_INPUT = 0x04;
export const WRITE_SINGLE = 0x06;
export const WRITE_MULTIPLE = 0x10;
export const WRITE_MULTIPLE_COILS = 0x0f;
/** Of the function's code, where an answer is an exception. */
export const EXCEPTION_BIT = 0x80;

const MAX_READ = 125;
const MAX_READ_BITS = 2000;
const MAX_WRITE = 123;

/** @returns the response to a request, both from the function code on */
export function answer(device: RegisterDevice, request: Buffer): Buffer {
  const code = request[0] ?? 0;
  if (device.functions && !device.functions.includes(code)) {
    return exception(request, EXCEPTION.illegalFunction);
  }
  switch (code) {
    case READ_COILS:
    case READ_DISCRETE:
      return readBits(device, request);
    case READ_HOLDING:
      return readRegisters(device, 'holding', request);
    case READ_INPUT:
      return readRegisters(device, 'input', request);
    case WRITE_SINGLE:
      return writeSingle(device, request);
    case WRITE_MULTIPLE:
      return writeMultiple(device, request);
    default:
      return exception(request, EXCEPTION.illegalFunction);
  }
}

export function exception(request: Buffer, code: Exception): Buffer {
  return Buffer.from([(request[0] ?? 0) | EXCEPTION_BIT, code]);
}

function readRegisters(device: RegisterDevice, table: RegisterTable, request: Buffer): Buffer {
  if (request.length !== 5) return exception(request, EXCEPTION.illegalValue);
  const count = request.readUInt16BE(3);
  if (count < 1 || count > (device.maxRegisters ?? MAX_READ)) {
    return exception(request, EXCEPTION.illegalValue);
  }
  const values = device.read(table, request.readUInt16BE(1), count);
  if (values === null) return exception(request, EXCEPTION.illegalAddress);
  const response = Buffer.alloc(2 + 2 * count);
  response[0] = request[0] ?? 0;
  response[1] = 2 * count;
  values.forEach((value, i) => response.writeUInt16BE(value, 2 + 2 * i));
  return response;
}

function readBits(device: RegisterDevice, request: Buffer): Buffer {
  if (!device.readBits) return exception(request, EXCEPTION.illegalFunction);
  if (request.length !== 5) return exception(request, EXCEPTION.illegalValue);
  const count = request.readUInt16BE(3);
  if (count < 1 || count > MAX_READ_BITS) return exception(request, EXCEPTION.illegalValue);
  const bits = device.readBits(request.readUInt16BE(1), count);
  if (bits === null) return exception(request, EXCEPTION.illegalAddress);
  const bytes = Buffer.alloc(Math.ceil(count / 8));
  for (const [i, set] of bits.entries()) {
    if (set) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
  }
  return Buffer.concat([Buffer.from([request[0] ?? 0, bytes.length]), bytes]);
}

function writeSingle(device: RegisterDevice, request: Buffer): Buffer {
  if (request.length !== 5) return exception(request, EXCEPTION.illegalValue);
  const outcome = device.write(request.readUInt16BE(1), [request.readUInt16BE(3)]);
  return outcome === 'done' ? Buffer.from(request) : refusal(request, outcome);
}

function writeMultiple(device: RegisterDevice, request: Buffer): Buffer {
  if (request.length < 6) return exception(request, EXCEPTION.illegalValue);
  const count = request.readUInt16BE(3);
  const sizesAgree = request[5] === 2 * count && request.length === 6 + 2 * count;
  if (count < 1 || count > (device.maxRegisters ?? MAX_WRITE) || !sizesAgree) {
    return exception(request, EXCEPTION.illegalValue);
  }
  const values = Array.from({ length: count }, (_, i) => request.readUInt16BE(6 + 2 * i));
  const outcome = device.write(request.readUInt16BE(1), values);
  return outcome === 'done' ? Buffer.from(request.subarray(0, 5)) : refusal(request, outcome);
}

function refusal(request: Buffer, outcome: 'illegal-address' | 'illegal-value'): Buffer {
  const code = outcome === 'illegal-address' ? EXCEPTION.illegalAddress : EXCEPTION.illegalValue;
  return exception(request, code);
}
