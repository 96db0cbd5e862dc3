import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeWireRecording, encodeWireRecording, type WireRecording } from './wire-recording.ts';

const RECORDING: WireRecording = {
  header: { protocol: 'modbus-rtu', link: 'hall-2', fault: 'timeout', at: 1_760_000_000_000 },
  pieces: [
    { at: 1_759_999_999_000, link: 'hall-2', dir: 'tx', hex: '010300000002c40b' },
    { at: 1_759_999_999_021, link: 'hall-2', dir: 'rx', hex: '0103040000' },
    { at: 1_760_000_000_001, link: 'hall-2', dir: 'rx', hex: '', event: 'close' },
  ],
};

test('a recording is a header and one line a piece', () => {
  expect(encodeWireRecording(RECORDING).split('\n').slice(0, 2)).toEqual([
    '{"protocol":"modbus-rtu","link":"hall-2","fault":"timeout","at":1760000000000}',
    '{"at":1759999999000,"link":"hall-2","dir":"tx","hex":"010300000002c40b"}',
  ]);
  expect(decodeWireRecording(encodeWireRecording(RECORDING))).toEqual(RECORDING);
});

test('a recording cut at any byte reads as its whole lines', () => {
  const text = encodeWireRecording(RECORDING);
  const header = text.indexOf('\n') + 1;
  fc.assert(
    fc.property(fc.integer({ min: header, max: text.length }), (cut) => {
      const whole = text.slice(0, cut).split('\n').length - 2;
      const { pieces } = decodeWireRecording(text.slice(0, cut));
      expect(pieces).toEqual(RECORDING.pieces.slice(0, whole));
    }),
  );
});

test('unknown keys are ignored, and a line that is none is named', () => {
  const header = '{"protocol":"modbus-tcp","link":"a","fault":"crc","at":1,"agent":"x"}\n';
  expect(decodeWireRecording(header).header).not.toHaveProperty('agent');
  expect(() => decodeWireRecording(`${header}{"at":1,"link":"a","dir":"up","hex":""}\n`)).toThrow(
    'line 2 is none of a wire recording: dir:',
  );
  expect(() => decodeWireRecording('no recording')).toThrow('line 1');
  expect(() =>
    decodeWireRecording(`${header}{"at":1,"link":"a","dir":"rx","hex":"abc"}\n`),
  ).toThrow('hex: two hexadecimal digits a byte');
});
