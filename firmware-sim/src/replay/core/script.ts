import type { Framing } from '../../core/faults.ts';
import type { Turn } from './turns.ts';

/** What is to be played now; or the request is not in the recording, or no turn of it is left. */
export type Cue = Turn | 'unknown' | 'over';

/** Which recorded turn answers what the agent does now. */
export interface Script {
  /** Requests of the recording, as `keyOf` makes them. */
  readonly requests: readonly Buffer[];
  /** @param request as on the wire; `null`: the line was opened */
  next(request: Buffer | null): Cue;
}

/**
 * Goes on with the turn after the last one where the agent does the same as then; else the first
 * turn of this request that was not played. So an agent that begins elsewhere falls into step, and
 * one that asks in another order sees every answer that was recorded to each of its requests.
 * @param repeat whether turns may be played again when none is left
 */
export function createScript(
  turns: readonly Turn[],
  { framing, repeat }: { readonly framing: Framing; readonly repeat: boolean },
): Script {
  const keys = turns.map(({ request }) => textOf(request, framing));
  const played = new Set<number>();
  let last = -1;

  function take(index: number): Cue {
    played.add(index);
    last = index;
    return turns[index] ?? 'unknown';
  }

  return {
    requests: turns.flatMap(({ request }) => (request ? [keyOf(request, framing)] : [])),
    next(request) {
      const key = textOf(request, framing);
      if (keys[last + 1] === key && !played.has(last + 1)) return take(last + 1);
      const left = (): number => keys.findIndex((own, index) => own === key && !played.has(index));
      if (left() >= 0) return take(left());
      if (!keys.includes(key)) return 'unknown';
      if (!repeat) return 'over';
      for (const [index, own] of keys.entries()) if (own === key) played.delete(index);
      return take(left());
    },
  };
}

/** A request without what is different each time it is asked: the number of a transaction. */
export function keyOf(request: Buffer, framing: Framing): Buffer {
  const key = Buffer.from(request);
  if (framing === 'mbap') key.fill(0, 0, Math.min(2, key.length));
  return key;
}

/** @returns the number of a request's transaction; `null` where it is too short to have one */
export function transactionOf(request: Buffer): number | null {
  return request.length < 2 ? null : request.readUInt16BE(0);
}

const textOf = (request: Buffer | null, framing: Framing): string =>
  request === null ? 'open' : keyOf(request, framing).toString('hex');

/**
 * The bytes of a turn with the transactions of now: what answered this request answers it again,
 * what was late for an earlier one is late for that one, what was wrong is wrong by as much.
 * @param now of this request; `null` where nothing is asked
 * @param earlier transactions on this connection, as recorded → of now
 */
export function withTransactions(
  { request, bytes, transactions }: Turn,
  now: number | null,
  earlier: ReadonlyMap<number, number>,
): Buffer {
  const made = Buffer.from(bytes);
  const then = (request && transactionOf(request)) ?? 0;
  for (const at of transactions) {
    const recorded = bytes.readUInt16BE(at);
    const known = recorded === then && now !== null ? now : earlier.get(recorded);
    made.writeUInt16BE(known ?? (recorded + ((now ?? then) - then)) & 0xffff, at);
  }
  return made;
}
