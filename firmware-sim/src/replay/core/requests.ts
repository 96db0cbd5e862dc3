import type { Framing } from '../../core/faults.ts';
import { crc16 } from '../../modbus/crc.ts';
import { keyOf } from './script.ts';

/** Cuts what an agent sends into requests, however it is split. */
export interface RequestReader {
  /** @returns whole requests */
  push(chunk: Buffer): Buffer[];
  /** The line was silent: what is there is a request by itself. */
  silence(): Buffer[];
}

/** No request is longer; more without a pause is noise. */
const MOST_BYTES = 512;

/** @param known requests of the recording, as `keyOf` makes them */
export function createRequestReader(known: readonly Buffer[], framing: Framing): RequestReader {
  let rest: Buffer = Buffer.alloc(0);

  function length(): number {
    const key = keyOf(rest, framing);
    const fitting = known.filter((request) => request.equals(key.subarray(0, request.length)));
    const longest = Math.max(0, ...fitting.map(({ length }) => length));
    return longest > 0 ? longest : lengthOf(rest, framing);
  }

  return {
    push(chunk) {
      rest = Buffer.concat([rest, chunk]);
      const requests: Buffer[] = [];
      for (let end = length(); end > 0 && end <= rest.length; end = length()) {
        requests.push(rest.subarray(0, end));
        rest = rest.subarray(end);
      }
      rest = rest.subarray(0, MOST_BYTES);
      return requests;
    },
    silence() {
      const left = rest;
      rest = Buffer.alloc(0);
      return left.length === 0 ? [] : [left];
    },
  };
}

/** Reads and single writes of Modbus RTU, functions 1 to 6. */
const RTU_BYTES = 8;
const MBAP_BYTES = 6;

/** @returns bytes of a request that the recording does not know; 0 where that is not to be seen */
function lengthOf(bytes: Buffer, framing: Framing): number {
  if (framing === 'ascii') return bytes.indexOf('\n') + 1;
  if (framing === 'mbap') {
    return bytes.length < MBAP_BYTES ? 0 : MBAP_BYTES + bytes.readUInt16BE(4);
  }
  const isRequest =
    bytes.length >= RTU_BYTES && crc16(bytes.subarray(0, RTU_BYTES - 2)) === bytes.readUInt16LE(6);
  return isRequest ? RTU_BYTES : 0;
}
