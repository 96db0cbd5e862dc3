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
}

/** Batches in flight before the first receipt says how many the cloud can take. */
const FIRST_WINDOW = 8;

/** More than this is not kept in flight, whatever a receipt allows: it is memory of the client. */
const LARGEST_WINDOW = 64;

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
  };
}

/** How many more batches may be sent now, whether sealed already or yet to be. */
export function room(state: SendWindow): number {
  return Math.max(0, state.receipted + state.window - state.sent);
}

export const isWaiting = (state: SendWindow): boolean => state.sent > state.receipted;

export function withSealed(state: SendWindow, sealed: number): SendWindow {
  return { ...state, sealed };
}

/** @param seq the batch after `sent`, sealed before */
export function withSent(state: SendWindow, seq: number, now: number): SendWindow {
  return { ...state, sent: seq, movedAt: isWaiting(state) ? state.movedAt : now };
}

/** A new connection: what was not receipted may have been lost with the old one. */
export function connected(state: SendWindow, now: number): SendWindow {
  return { ...state, sent: state.receipted, movedAt: now, resends: 0, wentBackAt: -1 };
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
    return { ...state, receipted: upTo, sent, window, movedAt: now, resends: 0, wentBackAt: -1 };
  }
  // A receipt that does not move while batches are out says that the cloud misses one of them. Once
  // per receipt: the answers to the batches sent again look the same.
  if (isWaiting(state) && state.wentBackAt !== state.receipted) {
    return { ...state, sent: state.receipted, window, movedAt: now, wentBackAt: state.receipted };
  }
  return { ...state, window };
}

/** @returns the window gone back, where no receipt moved for too long */
export function expire(state: SendWindow, now: number, timeoutMs: number): SendWindow {
  const patience = timeoutMs * Math.min(2 ** state.resends, LARGEST_BACKOFF);
  if (!isWaiting(state) || now - state.movedAt < patience) return state;
  return { ...state, sent: state.receipted, movedAt: now, resends: state.resends + 1 };
}
