import type { WirePiece } from '#shared/wire-recording.ts';

/** What goes over a line: a request, an answer, or the line itself. */
export type Direction = 'tx' | 'rx';
const DIRECTIONS = ['tx', 'rx'] as const;
const EVENTS = [undefined, 'open', 'close'] as const;

/**
 * The newest pieces that went over one link, in memory that is taken once: a piece is copied, since
 * what Node received lies in blocks of 64 KiB that one kept byte would keep.
 */
export class WireRing {
  readonly #bytes: Uint8Array;
  readonly #at: Float64Array;
  readonly #lengths: Uint16Array;
  readonly #kinds: Uint8Array;
  /** Number of the next piece and of the oldest one that is still there; slots go round. */
  #next = 0;
  #oldest = 0;
  /** Bytes ever written, and those before the oldest piece. */
  #head = 0;
  #tail = 0;

  /** @param size of memory: bytes of all pieces together at most 65,535, and number of pieces */
  constructor(size: { readonly bytes: number; readonly pieces: number }) {
    this.#bytes = new Uint8Array(size.bytes);
    this.#at = new Float64Array(size.pieces);
    this.#lengths = new Uint16Array(size.pieces);
    this.#kinds = new Uint8Array(size.pieces);
  }

  /** Of a piece larger than the memory, the beginning is kept. */
  add(at: number, dir: Direction, piece: Uint8Array, event?: 'open' | 'close'): void {
    const { length: capacity } = this.#bytes;
    const length = Math.min(piece.length, capacity);
    while (
      this.#next - this.#oldest >= this.#at.length ||
      this.#head - this.#tail + length > capacity
    )
      this.#forget();
    const start = this.#head % capacity;
    const first = Math.min(length, capacity - start);
    this.#bytes.set(piece.subarray(0, first), start);
    this.#bytes.set(piece.subarray(first, length), 0);
    const slot = this.#next % this.#at.length;
    this.#at[slot] = at;
    this.#lengths[slot] = length;
    this.#kinds[slot] = DIRECTIONS.indexOf(dir) + 2 * EVENTS.indexOf(event);
    this.#next += 1;
    this.#head += length;
  }

  /** Oldest first. */
  pieces(link: string): WirePiece[] {
    const pieces: WirePiece[] = [];
    let start = this.#tail;
    for (let piece = this.#oldest; piece < this.#next; piece += 1) {
      const slot = piece % this.#at.length;
      const end = start + (this.#lengths[slot] ?? 0);
      const kind = this.#kinds[slot] ?? 0;
      const dir = DIRECTIONS[kind % 2] ?? 'rx';
      const event = EVENTS[Math.floor(kind / 2)];
      const hex = this.#hex(start, end);
      pieces.push({ at: this.#at[slot] ?? 0, link, dir, hex, ...(event && { event }) });
      start = end;
    }
    return pieces;
  }

  #hex(start: number, end: number): string {
    const { length: capacity } = this.#bytes;
    const [from, to] = [start % capacity, (start % capacity) + end - start];
    const all = Buffer.from(this.#bytes.buffer);
    return (
      all.toString('hex', from, to) + (to > capacity ? all.toString('hex', 0, to - capacity) : '')
    );
  }

  #forget(): void {
    this.#tail += this.#lengths[this.#oldest % this.#at.length] ?? 0;
    this.#oldest += 1;
  }
}
