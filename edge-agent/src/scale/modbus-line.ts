import type { Duplex } from 'node:stream';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Failure, messageOf } from '#shared/failure.ts';
import type { ModbusAnswer, ModbusRequest } from './modbus-frame.ts';

/** Nothing came before the deadline. */
const nothing = (): string => '';

/** How long an answer may take; how long the line has to be silent before the request. */
export interface ExchangeLimits {
  readonly timeoutMs: number;
  /** Beyond what the standard asks for. */
  readonly pauseMs: number;
}

/** An open line to the slaves, one request at a time. */
export interface ModbusLine {
  /**
   * @throws Failure `scale-silent` after the deadline, `frame-broken` where what came is no answer to
   * this request, `link-down` where nobody can be asked any more
   */
  exchange(request: ModbusRequest, limits: ExchangeLimits): Promise<ModbusAnswer>;
  /** After a failure: waits until a late answer can no longer be taken for the next one. */
  drain(): Promise<void>;
  close(): void;
}

/** What is waited for, and how it ends. */
export interface Pending {
  readonly request: ModbusRequest;
  readonly settle: (answer: ModbusAnswer) => void;
  readonly fail: (code: 'scale-silent' | 'frame-broken', why: string, cause?: unknown) => void;
  /** As `fail`, for whatever says that a frame is no answer. */
  readonly refuse: (cause: unknown) => void;
}

/**
 * Runs one exchange against its own deadline and the line's end.
 * @param begin starts it; what it returns is told of the deadline, and says what came until then
 */
export function exchange(
  line: Duplex,
  { request, timeoutMs }: { readonly request: ModbusRequest; readonly timeoutMs: number },
  begin: (pending: Pending) => () => string,
): Promise<ModbusAnswer> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(deadline);
      line.off('close', closed);
    };
    const fail = (code: string, why: string, cause?: unknown): void => {
      end();
      const failure = line.destroyed ? 'link-down' : code;
      reject(new Failure(failure, `unit ${request.unit}: ${why}`, { retry: 'later', cause }));
    };
    const closed = (): void => fail('link-down', 'the line was closed');
    const deadline = setTimeout(() => {
      const came = expired();
      const code = came === '' ? 'scale-silent' : 'frame-broken';
      fail(code, `no answer within ${Math.round(timeoutMs)} ms${came}`);
    }, timeoutMs);
    line.once('close', closed);
    let expired = nothing;
    if (line.destroyed) {
      closed();
      return;
    }
    const settle = (answer: ModbusAnswer): void => {
      end();
      resolve(answer);
    };
    const refuse = (cause: unknown): void => fail('frame-broken', messageOf(cause), cause);
    expired = begin({ request, settle, fail, refuse });
  });
}

/**
 * Timers count whole milliseconds, a frame's end is 1.75 or 2: what is left is waited for in turns.
 * @param instant of `performance.now()`
 */
export async function silentUntil(instant: number): Promise<void> {
  for (let left = instant - performance.now(); left > 0; left = instant - performance.now()) {
    if (left >= 1) await sleep(Math.floor(left));
    else await turn();
  }
}
