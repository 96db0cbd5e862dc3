/**
 * Framing of Modbus TCP: transaction, protocol 0, length of what follows, unit, PDU.
 * Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, clause 3.1.3.
 */
export interface MbapFrame {
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Buffer;
}

const HEADER_BYTES = 7;
/** Unit and a function code at least; unit and 253 bytes of PDU at most. */
const MIN_LENGTH = 2;
const MAX_LENGTH = 254;

/** Cuts a stream, however it is split, into frames. */
export interface MbapReader {
  /** @returns the frames completed by `chunk`; `null` once the stream is no Modbus TCP */
  push(chunk: Buffer): MbapFrame[] | null;
}

export function createMbapReader(): MbapReader {
  let rest: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      rest = Buffer.concat([rest, chunk]);
      const frames: MbapFrame[] = [];
      while (rest.length >= HEADER_BYTES) {
        const length = rest.readUInt16BE(4);
        if (rest.readUInt16BE(2) !== 0 || length < MIN_LENGTH || length > MAX_LENGTH) return null;
        const end = HEADER_BYTES - 1 + length;
        if (rest.length < end) break;
        frames.push({
          transaction: rest.readUInt16BE(0),
          unit: rest.readUInt8(6),
          pdu: rest.subarray(HEADER_BYTES, end),
        });
        rest = rest.subarray(end);
      }
      return frames;
    },
  };
}

export function encodeMbap({ transaction, unit, pdu }: MbapFrame): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(transaction, 0);
  header.writeUInt16BE(pdu.length + 1, 4);
  header.writeUInt8(unit, 6);
  return Buffer.concat([header, pdu]);
}
