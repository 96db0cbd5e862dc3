import { gunzipSync, gzipSync } from 'node:zlib';

/**
 * A payload shorter than this is sent as it is. Measured: a lone reading would shrink from 240 to
 * 190 bytes, less than the headers of the packet it travels in; 20 readings from 680 to 390.
 */
const PAYS_FROM_BYTES = 512;

/** RFC 1952, 2.3.1; JSON never begins so. */
const GZIP_MAGIC = [0x1f, 0x8b] as const;

const isGzip = (payload: Uint8Array): boolean =>
  payload[0] === GZIP_MAGIC[0] && payload[1] === GZIP_MAGIC[1];

/** @returns the text in UTF-8, as gzip (RFC 1952) where that pays */
export function packed(text: string): Uint8Array {
  const plain = new TextEncoder().encode(text);
  if (plain.byteLength < PAYS_FROM_BYTES) return plain;
  const gzip = gzipSync(plain);
  return gzip.byteLength < plain.byteLength ? gzip : plain;
}

export type Unpacked =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string };

/**
 * @param payload gzip or plain, told apart by the first two bytes
 * @param mostBytes nothing beyond it is inflated, however little the payload is
 */
export function unpacked(payload: Uint8Array, mostBytes: number): Unpacked {
  if (payload.byteLength > mostBytes)
    return { ok: false, reason: `larger than ${mostBytes} bytes` };
  if (!isGzip(payload)) return { ok: true, bytes: payload };
  try {
    return { ok: true, bytes: gunzipSync(payload, { maxOutputLength: mostBytes }) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      return { ok: false, reason: `gzip of more than ${mostBytes} bytes` };
    }
    return {
      ok: false,
      reason: `not gzip: ${error instanceof Error ? error.message : 'unreadable'}`,
    };
  }
}
