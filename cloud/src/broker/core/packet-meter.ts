/**
 * Follows the frames of an MQTT byte stream without holding any of it: each packet is one byte of
 * type, its remaining length in one to four bytes of seven bits, and that many bytes.
 * Source: MQTT 3.1.1, section 2.2.3
 */
export interface PacketMeter {
  /**
   * @param chunk the next bytes as they came, cut anywhere
   * @param limit the most bytes a packet may announce after its fixed header
   * @returns false as soon as a packet announces more, or its length is malformed
   */
  accepts(chunk: Uint8Array, limit: number): boolean;
}

const MAX_LENGTH_BYTES = 4;

export function createPacketMeter(): PacketMeter {
  /** Bytes of the packet under way that are still to come. */
  let body = 0;
  let inLength = false;
  let length = 0;
  let lengthBytes = 0;
  return {
    accepts(chunk, limit) {
      let index = 0;
      while (index < chunk.byteLength) {
        if (body > 0) {
          const taken = Math.min(body, chunk.byteLength - index);
          body -= taken;
          index += taken;
          continue;
        }
        const byte = chunk[index] ?? 0;
        index += 1;
        if (!inLength) {
          inLength = true;
          length = 0;
          lengthBytes = 0;
          continue;
        }
        length += (byte & 0x7f) * 0x80 ** lengthBytes;
        lengthBytes += 1;
        const more = (byte & 0x80) !== 0;
        if (length > limit || (more && lengthBytes === MAX_LENGTH_BYTES)) return false;
        if (!more) {
          inLength = false;
          body = length;
        }
      }
      return true;
    },
  };
}
