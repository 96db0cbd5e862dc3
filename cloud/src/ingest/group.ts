import type { Message } from './message.ts';

/** A lone message waits this long for company; under load the next group gathers meanwhile. */
const LINGER_MS = 3;
/** Enough for a transaction to cost little per reading, few enough for it to be short. */
const MAX_MESSAGES = 128;
const MAX_BYTES = 4 * 1_048_576;
/** What may wait in memory; more is dropped unread, and sent again for want of a receipt. */
const MAX_WAITING_BYTES = 256 * 1_048_576;

/** Gathers messages into groups and has them processed one group after the other. */
export interface Grouping {
  /** @returns false where there is no room: the message is forgotten */
  push(message: Message): boolean;
  /** Settles when everything pushed before it is processed; nothing is taken after it. */
  drain(): Promise<void>;
}

/**
 * @param process must not reject for what a message holds; a rejection ends the grouping
 * @param onFault hears of that rejection
 */
export function createGrouping(
  process: (group: readonly Message[]) => Promise<void>,
  onFault: (fault: unknown) => void,
): Grouping {
  let waiting: Message[] = [];
  let waitingBytes = 0;
  let closed = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const take = (): Message[] => {
    let bytes = 0;
    let count = 0;
    for (const { payload } of waiting) {
      if (count === MAX_MESSAGES || (count > 0 && bytes + payload.byteLength > MAX_BYTES)) break;
      bytes += payload.byteLength;
      count += 1;
    }
    const group = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingBytes -= bytes;
    return group;
  };

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    try {
      while (waiting.length > 0) await process(take());
    } catch (fault) {
      closed = true;
      waiting = [];
      onFault(fault);
    } finally {
      running = undefined;
    }
  };

  return {
    push(message) {
      if (closed || waitingBytes + message.payload.byteLength > MAX_WAITING_BYTES) return false;
      waiting.push(message);
      waitingBytes += message.payload.byteLength;
      if (running !== undefined) return true;
      if (waiting.length >= MAX_MESSAGES || waitingBytes >= MAX_BYTES) running = run();
      else {
        timer ??= setTimeout(() => {
          running = run();
        }, LINGER_MS);
      }
      return true;
    },
    async drain() {
      closed = true;
      running ??= run();
      await running;
    },
  };
}
