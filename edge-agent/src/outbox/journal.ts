import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

/** https://sqlite.org/fileformat2.html#the_write_ahead_log */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The size of a page that SQLite takes, and we leave to it. */
const PAGE_BYTES = 4_096;
const HEADER_SALT_OFFSET = 16;
const FRAME_SALT_OFFSET = 8;
const PAGES_OFFSET = 4;

/**
 * Looks for the last commit in a journal, without its checksums. SQLite ends the journal at the first
 * frame that is not as it was written, and says nothing of those behind it.
 * @returns frames up to the last that ends a commit; 0 where there is no journal
 */
export function framesWritten(file: string): number {
  if (!existsSync(file)) return 0;
  const journal = openSync(file, 'r');
  try {
    const bytes = (offset: number, length: number): Buffer => {
      const buffer = Buffer.alloc(length);
      readSync(journal, buffer, 0, length, offset);
      return buffer;
    };
    const header = bytes(0, HEADER_BYTES);
    if (fstatSync(journal).size < HEADER_BYTES) return 0;
    const frameBytes = FRAME_HEADER_BYTES + PAGE_BYTES;
    const count = Math.floor((fstatSync(journal).size - HEADER_BYTES) / frameBytes);
    const saltOf = (frame: Buffer): bigint => frame.readBigUInt64BE(FRAME_SALT_OFFSET);
    const frames = Array.from({ length: Math.max(0, count) }, (_, n) =>
      bytes(HEADER_BYTES + n * frameBytes, FRAME_HEADER_BYTES),
    );
    // Frames of an earlier use of the journal have other salts; a damaged header has none of theirs.
    const own = header.readBigUInt64BE(HEADER_SALT_OFFSET);
    const first = frames[0] === undefined ? own : saltOf(frames[0]);
    const salt = frames.some((frame) => saltOf(frame) === own) ? own : first;
    return (
      frames.findLastIndex(
        (frame) => isSame(saltOf(frame), salt) && frame.readUInt32BE(PAGES_OFFSET) !== 0,
      ) + 1
    );
  } finally {
    closeSync(journal);
  }
}

/** Half of a salt is random: those of two uses differ in 16 bits, a damaged one in a few. */
const DAMAGED_BITS = 4;

function isSame(salt: bigint, other: bigint): boolean {
  return (salt ^ other).toString(2).replaceAll('0', '').length <= DAMAGED_BITS;
}
