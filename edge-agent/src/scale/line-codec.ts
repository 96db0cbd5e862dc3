import type { Codec } from './frame.ts';

/** No line of these protocols is as long; more without a line's end is none of theirs. */
const LONGEST_LINE = 128;

const LINE_END = '\r\n';

/**
 * Adapters that switch between sending and receiving put a byte or two before an answer, and some
 * indicators an STX. What can be printed belongs to the line, so that a lost character is missed.
 */
const LEADING_NOISE = /^[^\u0020-\u007E]+/;

const SEVEN_BITS = 0x7f;

/**
 * Lines that end with CR LF; one that lost its end is glued to the next, and both are refused.
 * @param bits 7 where bit 7 means nothing: a line set to 7 bits with parity, read as 8 without
 */
export function lineCodec<Item>(
  decode: (line: string) => Item | null,
  { bits }: { readonly bits: 7 | 8 },
): Codec<Item> {
  let rest = '';
  return {
    push(bytes) {
      const masked = bits === 7 ? bytes.map((byte) => byte & SEVEN_BITS) : bytes;
      // Latin-1 maps every byte to one character: noise stays noise and throws nothing.
      const text = Buffer.from(masked.buffer, masked.byteOffset, masked.length).toString('latin1');
      const lines = (rest + text).split(LINE_END);
      rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
      return lines.flatMap((line) => {
        const item = decode(line.replace(LEADING_NOISE, ''));
        return item === null ? [] : [item];
      });
    },
    clear() {
      rest = '';
    },
  };
}
