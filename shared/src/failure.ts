/** When the same attempt may be made again: at once, after a pause, or only after someone acts. */
export type Retry = 'now' | 'later' | 'never';

/**
 * An operational fault: the disk, the network, a peer. Expected refusals are returned unions and
 * programmer's errors stay ordinary errors.
 */
export class Failure extends Error {
  readonly code: string;
  readonly retry: Retry;

  /** @param message one line for the operator, saying what to do where it is known */
  constructor(code: string, message: string, options: { retry: Retry; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'Failure';
    this.code = code;
    this.retry = options.retry;
  }
}

/** The text of whatever was thrown, for a message or a log line. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
