import type { WirePiece, WireRecording } from '#shared/wire-recording.ts';
import type { Framing } from '../../core/faults.ts';

/** One thing that the agent did, and all that the devices did until it did the next. */
export interface Turn {
  /** What it asked; `null`: it opened the line. */
  readonly request: Buffer | null;
  /** When, ms since 1970 UTC of the agent's clock. */
  readonly at: number;
  /** All that came, in one piece. */
  readonly bytes: Buffer;
  /** How it came: up to which byte, and how long after `at`, ms. */
  readonly pieces: readonly { readonly end: number; readonly afterMs: number }[];
  /** How long after `at` the devices' side closed the line, ms; `null` where it did not. */
  readonly closedAfterMs: number | null;
  /** Where in `bytes` Modbus TCP has the number of a transaction. */
  readonly transactions: readonly number[];
}

const MBAP_BYTES = 6;
/** Unit and function at least; unit and 253 bytes of PDU at most. */
const SHORTEST = 2;
const LONGEST = 254;

/**
 * A recording as turns. Where it begins with an answer, the request to that answer is not known:
 * it belongs to the opening of the line, which every recording begins with.
 */
export function turnsOf({ pieces }: WireRecording, framing: Framing): Turn[] {
  const [first] = pieces;
  const groups: WirePiece[][] = isOpening(first) || !first ? [] : [[openingOf(first)]];
  for (const piece of pieces) {
    if (isOpening(piece) || isRequest(piece)) groups.push([piece]);
    else groups.at(-1)?.push(piece);
  }
  let missing = 0;
  return groups.map(([cause, ...effects]) => {
    if (!cause || isOpening(cause)) missing = 0;
    const bytes = bytesOf(effects);
    const found = framing === 'mbap' ? transactionsIn(bytes, missing) : { at: [], missing: 0 };
    ({ missing } = found);
    const at = cause?.at ?? 0;
    const after = (piece: WirePiece): number => Math.max(0, piece.at - at);
    let end = 0;
    const closing = effects.find(({ event, dir }) => event === 'close' && dir === 'rx');
    return {
      request: cause && isRequest(cause) ? Buffer.from(cause.hex, 'hex') : null,
      at,
      bytes,
      pieces: effects.filter(isAnswer).map((piece) => {
        end += piece.hex.length / 2;
        return { end, afterMs: after(piece) };
      }),
      closedAfterMs: closing ? after(closing) : null,
      transactions: found.at,
    };
  });
}

const isOpening = (piece: WirePiece | undefined): boolean => piece?.event === 'open';
const isRequest = ({ dir, hex }: WirePiece): boolean => dir === 'tx' && hex !== '';
const isAnswer = ({ dir, hex }: WirePiece): boolean => dir === 'rx' && hex !== '';
const bytesOf = (pieces: readonly WirePiece[]): Buffer =>
  Buffer.concat(pieces.filter(isAnswer).map(({ hex }) => Buffer.from(hex, 'hex')));
const openingOf = ({ at, link }: WirePiece): WirePiece => ({
  at,
  link,
  dir: 'tx',
  hex: '',
  event: 'open',
});

/**
 * Follows the lengths from frame to frame, as far as they can be believed.
 * @param skipped bytes that the frame before this turn still lacked
 * @returns where transactions are, and how many bytes the last frame lacks
 */
function transactionsIn(bytes: Buffer, skipped: number): { at: number[]; missing: number } {
  const at: number[] = [];
  // A frame that was cut is mostly followed by a new one; only rarely by its own rest.
  let start = isHeader(bytes, 0) ? 0 : skipped;
  while (isHeader(bytes, start)) {
    at.push(start);
    const length = bytes.readUInt16BE(start + 4);
    if (length < SHORTEST || length > LONGEST) return { at, missing: 0 };
    start += MBAP_BYTES + length;
  }
  return { at, missing: Math.max(0, start - bytes.length) };
}

function isHeader(bytes: Buffer, at: number): boolean {
  return bytes.length - at >= MBAP_BYTES && bytes.readUInt16BE(at + 2) === 0;
}
