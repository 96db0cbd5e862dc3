import type { Duplex } from 'node:stream';
import type { Framing } from '../core/faults.ts';
import { createRequestReader, type RequestReader } from './core/requests.ts';
import { transactionOf, withTransactions, type Script } from './core/script.ts';
import type { Turn } from './core/turns.ts';

/** What is told of a replay while it goes on. */
export type Told =
  | { readonly kind: 'open' | 'close' }
  /** `recordedAt`: when it went over the recorded line; `null` for what is not in the recording. */
  | {
      readonly kind: 'request' | 'answer';
      readonly bytes: Buffer;
      readonly recordedAt: number | null;
    }
  /** Of the request just told: nothing came then; it is not there; nothing of it is left. */
  | { readonly kind: 'no-answer' | 'unknown' | 'over' };

/** What ends a request that the recording does not know, where its protocol does not. */
const SILENCE_MS = 50;

export interface Replay {
  readonly script: Script;
  readonly turns: readonly Turn[];
  readonly framing: Framing;
  /** Whether a stream begins again at its end. */
  readonly repeat: boolean;
  readonly tell: (told: Told) => void;
}

/** Takes the devices' side of a recording towards one client. */
export function replayTo(replay: Replay, client: Duplex): void {
  const { script, framing, repeat, tell } = replay;
  const reader = createRequestReader(script.requests, framing);
  const timers = new Set<NodeJS.Timeout>();
  const transactions = new Map<number, number>();
  const streamsOnly = script.requests.length === 0;

  function later(afterMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, afterMs);
    timers.add(timer);
  }

  function play(turn: Turn, request: Buffer | null): void {
    const [then, now] =
      framing === 'mbap' ? [turn.request, request].map((one) => one && transactionOf(one)) : [];
    if (typeof then === 'number' && typeof now === 'number') transactions.set(then, now);
    const bytes = withTransactions(turn, now ?? null, transactions);
    let start = 0;
    for (const { end, afterMs } of turn.pieces) {
      const piece = bytes.subarray(start, end);
      start = end;
      later(afterMs, () => send(piece, turn.at + afterMs));
    }
    const { closedAfterMs } = turn;
    if (closedAfterMs !== null) later(closedAfterMs, () => client.end());
    else if (streamsOnly) later(turn.pieces.at(-1)?.afterMs ?? 0, () => ended(turn));
    if (request && turn.pieces.length === 0 && closedAfterMs === null) tell({ kind: 'no-answer' });
  }

  /** A stream has no further request that could set off the next turn. */
  function ended(turn: Turn): void {
    if (turn !== replay.turns.at(-1)) return;
    if (repeat && turn.pieces.length > 0) begin();
    else tell({ kind: 'over' });
  }

  function send(bytes: Buffer, recordedAt: number): void {
    if (!client.writable) return;
    tell({ kind: 'answer', bytes, recordedAt });
    client.write(bytes);
  }

  function begin(): void {
    const turn = script.next(null);
    if (typeof turn === 'object') play(turn, null);
    else if (streamsOnly) tell({ kind: turn });
  }

  function take(requests: readonly Buffer[]): void {
    for (const request of requests) {
      const turn = script.next(request);
      const recordedAt = typeof turn === 'object' ? turn.at : null;
      tell({ kind: 'request', bytes: request, recordedAt });
      if (typeof turn === 'object') play(turn, request);
      else tell({ kind: turn });
    }
  }

  hear(client, reader, take);
  client.on('close', () => {
    for (const timer of timers) clearTimeout(timer);
    tell({ kind: 'close' });
  });
  tell({ kind: 'open' });
  begin();
}

/** Gives what a client asks on, cut into requests. */
function hear(
  client: Duplex,
  reader: RequestReader,
  take: (requests: readonly Buffer[]) => void,
): void {
  let silence: NodeJS.Timeout | undefined;
  client.on('data', (chunk: Buffer) => {
    clearTimeout(silence);
    take(reader.push(chunk));
    silence = setTimeout(() => take(reader.silence()), SILENCE_MS);
  });
  client.on('close', () => clearTimeout(silence));
}
