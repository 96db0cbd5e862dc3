import fc from 'fast-check';
import { expect, test } from 'vitest';
import { serverSentReader } from './server-sent.ts';

const STREAM = [
  ': hello\n\n',
  'id: 7\nevent: stock\ndata: {"a":1}\n\n',
  'event: agent\r\ndata: {"b":\r\ndata: 2}\r\n\r\n',
  'data:bare\n\n',
  'event: nothing\n\n',
  'id: 8\rdata: late\r\r',
].join('');

const MESSAGES = [
  { event: 'stock', data: '{"a":1}', id: '7' },
  { event: 'agent', data: '{"b":\n2}', id: '7' },
  { event: 'message', data: 'bare', id: '7' },
  { event: 'message', data: 'late', id: '8' },
];

test('a stream says the same however it is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: STREAM.length }), { maxLength: 20 }), (cuts) => {
      const read = serverSentReader();
      const places = [...new Set([0, ...cuts, STREAM.length])].sort((a, b) => a - b);
      const pieces = places.slice(1).map((end, index) => STREAM.slice(places[index], end));
      // One more line makes sure that a trailing carriage return is no half of a pair.
      expect([...pieces, ': end\n'].flatMap(read)).toEqual(MESSAGES);
    }),
  );
});

test('a message that was cut off is not told', () => {
  expect(serverSentReader()('data: half')).toEqual([]);
});
