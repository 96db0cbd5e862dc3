import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as sending from './send-window.ts';

const fresh = sending.withSealed(sending.startWindow({ receipted: 0, sealed: 0 }), 100);

function sendAll(state: sending.SendWindow, now: number): sending.SendWindow {
  let next = state;
  while (sending.room(next) > 0 && next.sent < next.sealed) {
    next = sending.withSent(next, next.sent + 1, now);
  }
  return next;
}

function received(
  state: sending.SendWindow,
  upTo: number,
  options: { window?: number; now?: number } = {},
): sending.SendWindow {
  const next = sending.receive(state, { upTo, window: options.window ?? 8 }, options.now ?? 0);
  if (next === 'beyond') throw new Error('beyond');
  return next;
}

test('eight batches go out before the first receipt', () => {
  expect(sendAll(fresh, 0).sent).toBe(8);
});

test('a receipt makes room for as many as its window says', () => {
  const state = received(sendAll(fresh, 0), 3, { window: 12 });
  expect(sendAll(state, 0).sent).toBe(15);
});

test('a receipt that shrinks the window calls nothing back and sends nothing more', () => {
  const state = received(sendAll(fresh, 0), 1, { window: 2 });
  expect(sending.room(state)).toBe(0);
  expect(state.sent).toBe(8);
});

test('a new connection starts over after the last receipt', () => {
  const state = sending.connected(received(sendAll(fresh, 0), 3), 0);
  expect(state.sent).toBe(3);
});

test('without a receipt all is sent again, each time after twice as long', () => {
  let state = sendAll(fresh, 0);
  expect(sending.expire(state, 4_999, 5_000).sent).toBe(8);
  state = sendAll(sending.expire(state, 5_000, 5_000), 5_000);
  expect(sending.expire(state, 14_999, 5_000)).toBe(state);
  expect(sending.expire(state, 15_000, 5_000).sent).toBe(0);
});

test('nothing out means nothing to expire', () => {
  expect(sending.expire(fresh, 1e9, 5_000)).toBe(fresh);
});

test('a receipt that stands still goes back once', () => {
  let state = received(sendAll(fresh, 0), 3);
  state = received(state, 3);
  expect(state.sent).toBe(3);
  state = received(sendAll(state, 0), 3);
  expect(state.sent).toBe(11);
});

test('a receipt of what was never sealed is told apart', () => {
  expect(sending.receive(fresh, { upTo: 101, window: 8 }, 0)).toBe('beyond');
});

describe('over a line that loses, repeats and breaks', () => {
  const event = fc.oneof(
    { weight: 6, arbitrary: fc.constant('deliver' as const) },
    { weight: 3, arbitrary: fc.constant('lose' as const) },
    { weight: 4, arbitrary: fc.constant('receipt' as const) },
    { weight: 2, arbitrary: fc.constant('late receipt' as const) },
    { weight: 2, arbitrary: fc.constant('wait' as const) },
    { weight: 1, arbitrary: fc.constant('reconnect' as const) },
  );

  test('the cloud folds every batch once and in order, and no more than a window is out', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 300 }),
        fc.integer({ min: 1, max: 12 }),
        (events, window) => {
          let state = fresh;
          let now = 0;
          let line: number[] = [];
          let folded = 0;
          let largest = 8;
          const receipts: number[] = [];
          const pump = (): void => {
            const before = state.sent;
            state = sendAll(state, now);
            for (let seq = before + 1; seq <= state.sent; seq += 1) {
              expect(seq).toBeGreaterThan(state.receipted);
              line.push(seq);
            }
            expect(state.sent - state.receipted).toBeLessThanOrEqual(largest);
          };
          const receive = (upTo: number | undefined): void => {
            if (upTo === undefined) return;
            largest = Math.max(largest, window);
            state = received(state, upTo, { window, now });
          };
          const act = (what: (typeof events)[number]): void => {
            now += 100;
            if (what === 'deliver' && line.shift() === folded + 1) folded += 1;
            else if (what === 'lose') line.shift();
            else if (what === 'receipt') receive(receipts[receipts.push(folded) - 1]);
            else if (what === 'late receipt') receive(receipts[Math.floor(receipts.length / 2)]);
            else if (what === 'wait') state = sending.expire(state, (now += 80_000), 5_000);
            else if (what === 'reconnect') {
              line = [];
              state = sending.connected(state, now);
            }
            pump();
          };
          pump();
          for (const what of events) act(what);
          // However bad it was, a line that works again brings all across.
          for (let round = 0; round < 1_000 && state.receipted < 100; round += 1) {
            while (line.length > 0) act('deliver');
            act('receipt');
            if (line.length === 0) act('wait');
          }
          expect(folded).toBe(100);
          expect(state.receipted).toBe(100);
        },
      ),
    );
  });
});

describe('a backlog over a line of any speed', () => {
  const BATCH_BYTES = 5_500;
  const ROUND_TRIP_MS = 300;
  const STEP_MS = 10;

  /** @returns how long a live figure would wait in the queue of the line, ms, every 10 ms */
  function queueOver(bytesPerS: number, forMs: number): number[] {
    let state = sending.withSealed(sending.startWindow({ receipted: 0, sealed: 0 }), 1e6);
    const delays: number[] = [];
    const arrivals: { seq: number; at: number }[] = [];
    let freeAt = 0;
    for (let now = 0; now < forMs; now += STEP_MS) {
      const arrived = arrivals.findLast(({ at }) => at + ROUND_TRIP_MS <= now);
      if (arrived !== undefined && arrived.seq > state.receipted) {
        state = received(state, arrived.seq, { window: 64, now });
      }
      state = sending.expire(state, now, 5_000);
      while (sending.room(state) > 0) {
        const seq = state.sent + 1;
        freeAt = Math.max(freeAt, now) + (BATCH_BYTES / bytesPerS) * 1_000;
        arrivals.push({ seq, at: freeAt });
        state = sending.withSent(state, seq, now);
      }
      delays.push(Math.max(0, freeAt - now));
    }
    return delays;
  }

  test.each([12_000, 30_000, 125_000, 1_000_000, 10_000_000])(
    'keeps live figures within 5 s at %i bytes/s, from the first batch on',
    (bytesPerS) => {
      expect(Math.max(...queueOver(bytesPerS, 60_000))).toBeLessThanOrEqual(5_000);
    },
  );

  test.each([2_000, 5_000])(
    'learns within half a minute to keep them so at %i bytes/s',
    (bytesPerS) => {
      const delays = queueOver(bytesPerS, 300_000);
      expect(Math.max(...delays.slice(40_000 / STEP_MS))).toBeLessThanOrEqual(5_000);
    },
  );

  test('uses all of a fast line', () => {
    let state = fresh;
    for (let round = 0; round < 6; round += 1) {
      state = sending.withSealed(state, state.sealed + 1_000);
      state = sendAll(state, round * 100);
      state = received(state, state.sent, { window: 64, now: round * 100 + 50 });
    }
    expect(sending.room(state)).toBe(64);
  });
});
