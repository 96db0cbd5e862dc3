import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordingOf } from '../../testing/recordings.ts';
import { createScript, withTransactions, type Script } from './script.ts';
import { turnsOf } from './turns.ts';

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** Each letter is a request; the answers count them. */
function asked(requests: string, repeat = false): (live: string) => string[] {
  const lines = requests
    .split('')
    .flatMap((request, n) => [
      [10 * n, 'tx', hex(request)] as const,
      [10 * n + 5, 'rx', hex(String(n))] as const,
    ]);
  const turns = turnsOf(recordingOf('mt-sics', lines), 'ascii');
  const script: Script = createScript(turns, { framing: 'ascii', repeat });
  return (live) =>
    live.split('').map((request) => {
      const cue = script.next(Buffer.from(request));
      return typeof cue === 'string' ? cue : cue.bytes.toString();
    });
}

test('the same requests get the same answers in the same order', () => {
  expect(asked('ababa')('ababa')).toEqual(['0', '1', '2', '3', '4']);
});

test('an agent that begins elsewhere falls into step', () => {
  expect(asked('abcabc')('bcabc')).toEqual(['1', '2', '3', '4', '5']);
});

test('an agent that asks in another order sees every answer to each of its requests', () => {
  const next = asked('aaabaaab');
  const seen = next('abababababababab');
  expect(seen.filter((answer) => answer !== 'over').toSorted()).toEqual('01234567'.split(''));
});

test('what is not in the recording and what has no answer left is told apart', () => {
  expect(asked('ab')('xaba')).toEqual(['unknown', '0', '1', 'over']);
});

test('repeated, it never ends', () => {
  expect(asked('ab', true)('ababab')).toEqual(['0', '1', '0', '1', '0', '1']);
});

const frame = (transaction: number, rest: string): string =>
  transaction.toString(16).padStart(4, '0') + rest;
const REQUEST = '00000006010400000005';
const ANSWER = '0000000301840b';

test('transactions of now stand to each other as those of then', () => {
  const id = fc.integer({ min: 0, max: 0xffff });
  const property = fc.property(id, id, id, (then, off, now) => {
    const wrong = (then + off) & 0xffff;
    const [, turn] = turnsOf(
      recordingOf('modbus-tcp', [
        [0, 'open'],
        [0, 'tx', frame(then, REQUEST)],
        [9, 'rx', frame(then, ANSWER) + frame(wrong, ANSWER)],
      ]),
      'mbap',
    );
    expect(turn && withTransactions(turn, now, new Map()).toString('hex')).toBe(
      frame(now, ANSWER) + frame((now + off) & 0xffff, ANSWER),
    );
  });
  fc.assert(property);
});

test('an answer that was late for a request is late for that one, whatever was asked between', () => {
  const [, , turn] = turnsOf(
    recordingOf('modbus-tcp', [
      [0, 'open'],
      [0, 'tx', frame(7, REQUEST)],
      [9, 'tx', frame(8, REQUEST)],
      [12, 'rx', frame(7, ANSWER)],
    ]),
    'mbap',
  );
  const earlier = new Map([[7, 300]]);
  expect(turn && withTransactions(turn, 305, earlier).toString('hex')).toBe(frame(300, ANSWER));
});
