import { expect, test } from 'vitest';
import { RECORDED_AT, recordingOf } from '../../testing/recordings.ts';
import { turnsOf } from './turns.ts';

test('each request begins a turn with what came until the next one, in its pieces', () => {
  const recording = recordingOf('mt-sics', [
    [0, 'open'],
    [5, 'tx', '5349'],
    [25, 'rx', '532053'],
    [26, 'rx', '0d0a'],
    [900, 'tx', '5441'],
    [1_900, 'tx', '5441'],
    [1_890, 'rx', '4553'],
  ]);
  const turns = turnsOf(recording, 'ascii');
  expect(turns.map(({ request, at }) => [request?.toString('latin1') ?? null, at])).toEqual([
    [null, RECORDED_AT],
    ['SI', RECORDED_AT + 5],
    ['TA', RECORDED_AT + 900],
    ['TA', RECORDED_AT + 1_900],
  ]);
  expect(turns.map(({ bytes }) => bytes.toString('hex'))).toEqual(['', '5320530d0a', '', '4553']);
  // A clock that was set back in between makes no answer come before its request.
  expect(turns.map(({ pieces }) => pieces)).toEqual([
    [],
    [
      { end: 3, afterMs: 20 },
      { end: 5, afterMs: 21 },
    ],
    [],
    [{ end: 2, afterMs: 0 }],
  ]);
});

test('an answer whose request is no longer known belongs to the opening of the line', () => {
  const turns = turnsOf(
    recordingOf('toledo', [
      [40, 'rx', '02'],
      [90, 'rx', '03'],
    ]),
    'ascii',
  );
  expect(turns).toMatchObject([{ request: null, pieces: [{ afterMs: 0 }, { afterMs: 50 }] }]);
  expect(turnsOf(recordingOf('toledo', []), 'ascii')).toEqual([]);
});

test('a line that the devices closed is closed again, one that the agent closed is not', () => {
  const turns = turnsOf(
    recordingOf('mt-sics', [
      [0, 'open'],
      [10, 'tx', '53'],
      [30, 'close', 'rx'],
      [500, 'open'],
      [510, 'tx', '53'],
      [900, 'close', 'tx'],
    ]),
    'ascii',
  );
  expect(turns.map(({ closedAfterMs }) => closedAfterMs)).toEqual([null, 20, null, null]);
});

test('transactions are found in every frame, whole, merged, cut and of impossible length', () => {
  const answer = '0105 0000 0003 01 84 02'.replaceAll(' ', '');
  const turns = turnsOf(
    recordingOf('modbus-tcp', [
      [0, 'open'],
      [0, 'tx', '010500000006010400000005'],
      [1, 'rx', answer + answer],
      [2, 'tx', '010600000006010400000005'],
      [3, 'rx', answer.slice(0, 14)],
      [4, 'tx', '010700000006010400000005'],
      [5, 'rx', answer.slice(14) + answer],
      [6, 'tx', '010800000006010400000005'],
      [7, 'rx', `01080000ffff018402${answer}`],
      [8, 'tx', '010900000006010400000005'],
      [9, 'rx', `aabbccddee${answer}`],
      [10, 'tx', '010a00000006010400000005'],
      [11, 'rx', answer.slice(0, 10)],
    ]),
    'mbap',
  );
  expect(turns.map(({ transactions }) => transactions)).toEqual([
    [],
    [0, 9],
    [0],
    [2],
    [0],
    [],
    [],
  ]);
});
