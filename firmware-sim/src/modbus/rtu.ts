import { crc16 } from './crc.ts';
import {
  EXCEPTION_BIT,
  READ_COILS,
  READ_INPUT,
  WRITE_MULTIPLE,
  WRITE_MULTIPLE_COILS,
  WRITE_SINGLE,
} from './pdu.ts';

/**
 * Framing of Modbus RTU: unit, PDU, CRC.
 * Source: MODBUS over Serial Line Specification and Implementation Guide V1.02, clause 2.5.1.
 */
export interface RtuFrame {
  readonly unit: number;
  readonly pdu: Buffer;
}

/**
 * Cuts requests out of a stream, however it is split. On a wire a frame ends by silence; through
 * TCP or a pseudo-terminal pauses are lost or made up, so that a request of a known function is
 * complete by its length. What is not complete or not intact waits for silence, as on a wire.
 */
export interface RtuReader {
  push(chunk: Buffer): RtuFrame[];
  /** The line was silent: what is there is a frame of an unknown function, or dropped. */
  silence(): RtuFrame[];
}

/** Unit, function code, two bytes of CRC. */
const MIN_BYTES = 4;
const MAX_BYTES = 256;
/** Reads and single writes, functions 1 to 6. */
const SHORT_REQUEST_BYTES = 8;
/** What was written is answered with its address and value, or count. */
const WRITE_ANSWER_BYTES = 8;
const EXCEPTION_BYTES = 5;

export function createRtuReader(): RtuReader {
  let rest: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      rest = Buffer.concat([rest, chunk]);
      const frames: RtuFrame[] = [];
      for (let end = requestBytes(rest); end !== null; end = requestBytes(rest)) {
        const frame = rest.length < end ? null : intact(rest.subarray(0, end));
        if (frame === null) break;
        frames.push(frame);
        rest = rest.subarray(end);
      }
      // Nobody sends that much without a pause; one byte more than a frame marks it as broken.
      if (rest.length > MAX_BYTES) rest = rest.subarray(0, MAX_BYTES + 1);
      return frames;
    },
    silence() {
      const frame = rest.length > MAX_BYTES ? null : intact(rest);
      rest = Buffer.alloc(0);
      return frame === null ? [] : [frame];
    },
  };
}

/** @returns the length of the request that begins here; `null` where it cannot be known */
export function requestBytes(bytes: Buffer): number | null {
  const code = bytes[1];
  if (code === undefined) return null;
  if (code >= 1 && code <= 6) return SHORT_REQUEST_BYTES;
  if (code !== WRITE_MULTIPLE && code !== WRITE_MULTIPLE_COILS) return null;
  const dataBytes = bytes[6];
  return dataBytes === undefined ? null : 9 + dataBytes;
}

/** @returns the length of the answer that begins here; `null` where it cannot be known */
export function answerBytes(bytes: Buffer): number | null {
  const [, code, dataBytes] = bytes;
  if (code === undefined || dataBytes === undefined) return null;
  if ((code & EXCEPTION_BIT) !== 0) return EXCEPTION_BYTES;
  if (code >= READ_COILS && code <= READ_INPUT) return 5 + dataBytes;
  const isWrite = code <= WRITE_SINGLE || code === WRITE_MULTIPLE || code === WRITE_MULTIPLE_COILS;
  return code > READ_INPUT && isWrite ? WRITE_ANSWER_BYTES : null;
}

/** @returns the frame where the CRC is right; else `null` */
export function intact(bytes: Buffer): RtuFrame | null {
  if (bytes.length < MIN_BYTES) return null;
  const end = bytes.length - 2;
  if (crc16(bytes.subarray(0, end)) !== bytes.readUInt16LE(end)) return null;
  return { unit: bytes.readUInt8(0), pdu: bytes.subarray(1, end) };
}

export function encodeRtu({ unit, pdu }: RtuFrame): Buffer {
  const frame = Buffer.alloc(pdu.length + 3);
  frame.writeUInt8(unit, 0);
  pdu.copy(frame, 1);
  frame.writeUInt16LE(crc16(frame.subarray(0, -2)), pdu.length + 1);
  return frame;
}
