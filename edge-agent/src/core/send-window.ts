/**
 * Which batches are on their way, and which to send next: go-back-N over batches numbered 1, 2, 3 …
 * All instants are monotonic milliseconds.
 */
export interface SendWindow {
  /** Every batch up to here is receipted. */
  readonly receipted: number;
  /** Newest batch sealed in the outbox. */
  readonly sealed: number;
  /** Newest batch sent since the last going back; between `receipted` and `sealed`. */
  readonly sent: number;
  /** How many batches may be sent and not yet receipted. */
  readonly window: number;
  /** When something last moved: a connection, a receipt, a first batch after silence. */
  readonly movedAt: number;
  /** How many times in a row all was sent again because no receipt moved. */
  readonly resends: number;
  /** The receipt at which the window already went back at once; -1 for none. */
  readonly wentBackAt: number;
  /** How many batches the line itself carries without a queue that live figures would wait in. */
  readonly share: number;
  /** A batch under way whose receipt is being waited for, to see how long the queue is. */
  readonly probe: { readonly seq: number; readonly sentAt: number } | null;
}

/** Batches in flight before the first receipt says how many the cloud can take. */
const FIRST_WINDOW = 8;

/** More than this is not kept in flight, whatever a receipt allows: it is memory of the client. */
const LARGEST_WINDOW = 64;

/**
 * A receipt should come within this time: what is sent next, such as a live figure, waits no longer
 * in the same queue. Live figures may be late by 5 s; the rest is for measuring and for a batch of
 * the cloud's own work.
 */
const RECEIPT_WITHIN_MS = 1_500;

/** The time-out doubles with every resend up to this many times its first value. */
const LARGEST_BACKOFF = 16;

export function startWindow(stored: { receipted: number; sealed: number }): SendWindow {
  const { receipted, sealed } = stored;
  return {
    receipted,
    sealed,
    sent: receipted,
    window: FIRST_WINDOW,
    movedAt: 0,
    resends: 0,
    wentBackAt: -1,
    share: FIRST_WINDOW,
    probe: null,
  };
}

/** How many more batches may be sent now, whether sealed already or yet to be. */
export function room(state: SendWindow): number {
  return Math.max(0, state.receipted + Math.min(state.window, state.share) - state.sent);
}

export const isWaiting = (state: SendWindow): boolean => state.sent > state.receipted;

export function withSealed(state: SendWindow, sealed: number): SendWindow {
  return { ...state, sealed };
}

/** @param seq the batch after `sent`, sealed before */
export function withSent(state: SendWindow, seq: number, now: number): SendWindow {
  const movedAt = isWaiting(state) ? state.movedAt : now;
  return { ...state, sent: seq, movedAt, probe: state.probe ?? { seq, sentAt: now } };
}

/** A new connection: what was not receipted may have been lost with the old one. */
export function connected(state: SendWindow, now: number): SendWindow {
  const sent = state.receipted;
  return { ...state, sent, movedAt: now, resends: 0, wentBackAt: -1, probe: null };
}

/**
 * @returns the window after a receipt; `beyond` where it covers what was never sealed, so that this
 * outbox cannot be the one the cloud speaks of
 */
export function receive(
  state: SendWindow,
  receipt: { readonly upTo: number; readonly window: number },
  now: number,
): SendWindow | 'beyond' {
  const { upTo } = receipt;
  if (upTo > state.sealed) return 'beyond';
  const window = Math.min(receipt.window, LARGEST_WINDOW);
  if (upTo > state.receipted) {
    const sent = Math.max(state.sent, upTo);
    const paced = pacedBy(state, upTo, now);
    return { ...paced, receipted: upTo, sent, window, movedAt: now, resends: 0, wentBackAt: -1 };
  }
  // A receipt that does not move while batches are out says that the cloud misses one of them. Once
  // per receipt: the answers to the batches sent again look the same.
  if (isWaiting(state) && state.wentBackAt !== state.receipted) {
    const wentBackAt = state.receipted;
    return { ...state, sent: state.receipted, window, movedAt: now, wentBackAt, probe: null };
  }
  return { ...state, window };
}

/**
 * The line's share after a receipt: as a window of TCP, it doubles with every quick receipt until
 * the cloud's window is reached, and halves where a receipt was late. One batch always goes.
 */
function pacedBy(state: SendWindow, upTo: number, now: number): SendWindow {
  const { probe, share } = state;
  if (probe === null || upTo < probe.seq) return state;
  const tookMs = now - probe.sentAt;
  const wanted =
    tookMs > RECEIPT_WITHIN_MS ? share / 2 : tookMs > RECEIPT_WITHIN_MS / 3 ? share : share * 2;
  const next = Math.max(1, Math.min(LARGEST_WINDOW, Math.floor(wanted)));
  return { ...state, share: next, probe: null };
}

/** @returns the window gone back, where no receipt moved for too long */
export function expire(state: SendWindow, now: number, timeoutMs: number): SendWindow {
  const patience = timeoutMs * Math.min(2 ** state.resends, LARGEST_BACKOFF);
  if (!isWaiting(state) || now - state.movedAt < patience) return state;
  const share = Math.max(1, Math.floor(state.share / 2));
  const sent = state.receipted;
  return { ...state, sent, movedAt: now, resends: state.resends + 1, share, probe: null };
}
