import type { FaultKind } from '../core/faults.ts';
import type { WirePiece } from '../faults/line.ts';
import type { FaultyPlace } from '../faults/link-faults.ts';
import { meaningOf, type Term } from './meaning.ts';

/** A piece of bytes on a link, for people. */
export interface FrameView {
  readonly id: number;
  /** ms since 1970 UTC */
  readonly at: number;
  readonly site: string;
  readonly link: string;
  /** `rx`: the devices received it; `tx`: they sent it. */
  readonly dir: 'rx' | 'tx';
  readonly hex: string;
  readonly fault: FaultKind | null;
  readonly meaning: readonly Term[];
}

export interface FrameQuery {
  /** Only newer ones than this id. */
  readonly after: number;
  /** `site/link` */
  readonly link: string | null;
  readonly limit: number;
}

interface Kept {
  readonly id: number;
  readonly at: number;
  readonly place: FaultyPlace;
  readonly piece: WirePiece;
  readonly request: Buffer | null;
}

/** What is kept in memory: minutes of a busy line. */
const KEPT = 2_000;

/** The newest pieces on all links. */
export class FrameLog {
  readonly #kept: Kept[] = [];
  readonly #requests = new Map<string, Buffer>();
  #id = 0;

  add(place: Kept['place'], at: number, piece: WirePiece): void {
    const name = `${place.site}/${place.link}`;
    if (piece.dir === 'rx') this.#requests.set(name, piece.bytes);
    this.#id += 1;
    const request = piece.dir === 'tx' ? (this.#requests.get(name) ?? null) : null;
    this.#kept.push({ id: this.#id, at, place, piece, request });
    if (this.#kept.length > KEPT * 1.1) this.#kept.splice(0, this.#kept.length - KEPT);
  }

  /** @returns the newest of those asked for, oldest first */
  list({ after, link, limit }: FrameQuery): FrameView[] {
    return this.#kept
      .filter(({ id, place }) => id > after && (!link || link === `${place.site}/${place.link}`))
      .slice(-limit)
      .map(({ id, at, place, piece, request }) => ({
        id,
        at,
        site: place.site,
        link: place.link,
        dir: piece.dir,
        hex: piece.bytes.toString('hex'),
        fault: piece.fault,
        meaning: meaningOf(place.framing, piece.dir, said(place, piece.bytes), request),
      }));
  }
}

/** Without the parity that a line of seven data bits has in bit 7. */
const said = ({ isSevenBits }: FaultyPlace, bytes: Buffer): Buffer =>
  isSevenBits === true ? Buffer.from(bytes.map((byte) => byte & 0x7f)) : bytes;
