import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { FaultKind } from '../core/faults.ts';
import { damaged } from './damage.ts';
import type { LinkFaults, Strike } from './link-faults.ts';

/** What went over the line, as the client sees it. */
export interface WirePiece {
  /** `rx` from the client to the devices, `tx` from the devices to the client. */
  readonly dir: 'rx' | 'tx';
  readonly bytes: Buffer;
  /** What befell it; of a lost answer these are the bytes that were not sent. */
  readonly fault: FaultKind | null;
}

/** Pause between bytes that come one by one: a line of about 300 Bd. */
const SLOW_BYTE_MS = 40;
const MBAP_UNIT = 6;

/**
 * The line between a client and the devices of a link: whole answers are written into it, and what
 * befalls them happens here.
 * @returns what the devices talk to; `null` where the connection does not come about
 */
export function faultyLine(options: {
  readonly client: Socket;
  readonly faults: LinkFaults;
  /** Connections that stand already. */
  readonly open: number;
  readonly onPiece: (piece: WirePiece) => void;
}): Duplex | null {
  const { client, faults, open, onPiece } = options;
  const fate = faults.deadBy() ?? faults.onConnection(open);
  if (fate === 'refuse' || fate === 'max-connections') {
    client.resetAndDestroy();
    return null;
  }
  return new Line(client, faults, onPiece, fate === 'half-open');
}

class Line extends Duplex {
  readonly #client: Socket;
  readonly #faults: LinkFaults;
  readonly #onPiece: (piece: WirePiece) => void;
  /** Nothing that comes in is ever answered. */
  readonly #deaf: boolean;
  #held: { readonly kind: FaultKind; readonly bytes: Buffer } | null = null;

  constructor(
    client: Socket,
    faults: LinkFaults,
    onPiece: (piece: WirePiece) => void,
    deaf: boolean,
  ) {
    super({ allowHalfOpen: false });
    this.#client = client;
    this.#faults = faults;
    this.#onPiece = onPiece;
    this.#deaf = deaf;
    client.on('data', (chunk: Buffer) => this.#arrive(chunk));
    client.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#client.resume();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    this.#answer(bytes, done);
  }

  override _final(done: () => void): void {
    this.#client.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#client.destroy();
    done(error);
  }

  #arrive(bytes: Buffer): void {
    this.#onPiece({ dir: 'rx', bytes, fault: null });
    const dead = this.#faults.deadBy();
    if (dead === 'refuse') this.#client.resetAndDestroy();
    if (this.#deaf || dead !== null) return;
    if (this.#held?.kind === 'late-answer') this.#release(this.#held);
    if (!this.push(bytes)) this.#client.pause();
  }

  #answer(answer: Buffer, done: () => void): void {
    const { framing } = this.#faults;
    const dead = this.#faults.deadBy() !== null;
    const strike = dead ? null : this.#faults.onAnswer(unitOf(answer, framing));
    if (strike?.rule.kind === 'slow-bytes') {
      this.#onPiece({ dir: 'tx', bytes: answer, fault: 'slow-bytes' });
      this.#trickle(answer, done);
      return;
    }
    if (!dead && (strike === null || !this.#befall(strike, answer))) this.#send(answer, null);
    done();
  }

  /** @returns false where this kind cannot befall this answer */
  #befall(strike: Strike, answer: Buffer): boolean {
    const { kind } = strike.rule;
    switch (kind) {
      case 'no-answer':
        this.#onPiece({ dir: 'tx', bytes: answer, fault: kind });
        return true;
      case 'reset':
        this.#onPiece({ dir: 'tx', bytes: answer, fault: kind });
        this.#client.resetAndDestroy();
        return true;
      case 'late-answer':
      case 'merged':
        if (this.#held !== null) this.#release(this.#held);
        this.#held = { kind, bytes: answer };
        return true;
      default: {
        const bytes = damaged(strike.rule, this.#faults.framing, answer, strike.random);
        if (bytes === null) return false;
        this.#send(bytes, kind);
        return true;
      }
    }
  }

  #send(bytes: Buffer, fault: FaultKind | null): void {
    const held = this.#held;
    this.#held = null;
    if (held === null) {
      this.#onPiece({ dir: 'tx', bytes, fault });
      this.#write(bytes);
      return;
    }
    const both = Buffer.concat([held.bytes, bytes]);
    this.#onPiece({ dir: 'tx', bytes: both, fault: held.kind });
    this.#write(both);
  }

  #release({ kind, bytes }: { readonly kind: FaultKind; readonly bytes: Buffer }): void {
    this.#held = null;
    this.#onPiece({ dir: 'tx', bytes, fault: kind });
    this.#write(bytes);
  }

  #trickle(bytes: Buffer, done: () => void): void {
    if (bytes.length === 0 || !this.#client.writable) {
      done();
      return;
    }
    this.#write(bytes.subarray(0, 1));
    setTimeout(() => this.#trickle(bytes.subarray(1), done), SLOW_BYTE_MS);
  }

  #write(bytes: Buffer): void {
    if (this.#client.writable) this.#client.write(bytes);
  }
}

/** Whose answer it is; `null` on a line without units. */
function unitOf(answer: Buffer, framing: LinkFaults['framing']): number | null {
  if (framing === 'ascii') return null;
  return answer[framing === 'mbap' ? MBAP_UNIT : 0] ?? null;
}
