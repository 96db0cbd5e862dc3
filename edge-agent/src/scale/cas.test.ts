import { expect, test } from 'vitest';
import { casCodec, casRequest } from './cas.ts';

const read = (line: string, device?: number): unknown[] =>
  casCodec({ device })
    .push(Buffer.from(`${line}\r\n`, 'latin1'))
    .map(({ read }) => read);

// Lamps: CI-600D owner's manual, 10-1, p. 75: 7 always 1, 6 stable, 4 hold, 3 print, 2 gross, 1 tare,
// 0 zero. Its example is 13.5 kg as `000013.5`.
const STABLE_GROSS = '\xC4';

test.each([
  [`ST,GS,1${STABLE_GROSS},000013.5 kg`, 13_500_000, true],
  ['US,GS,1\x84,000013.5 kg', 13_500_000, false],
  ['US,GS,1\x8D,000013.5 kg', 13_500_000, false],
  ['ST,GS,1\x84,000013.5 kg', 13_500_000, false],
  ['ST,GS,1\xC5,       0 kg', 0, true],
  ['ST,GS,1\xC4,   -13.5 kg', -13_500_000, true],
  ['ST,GS,1\xC4,-00013.5 kg', -13_500_000, true],
  ['ST,GS,1\xC4,   +13.5 kg', 13_500_000, true],
  ['ST,GS,1\xC6,000013.5 kg', 13_500_000, true],
  ['ST,GS,1\xC4,0013.500  t', 13_500_000_000, true],
  ['ST,GS,1\xC4,000013.5 lb', 6_123_497, true],
  ['ST,GS,1 ,000013.5 kg', 13_500_000, true],
])('%j', (line, massMg, stable) => {
  expect(read(line)).toEqual([{ ok: true, massMg, stable }]);
});

test.each([
  ['OL,GS,1\xC4,000000.0 kg', 'overload', 'overload'],
  ['OL,GS,1\xC4,-------- kg', 'underload', 'underload'],
  ['OL,GS,1\xC4,         kg', 'overload', 'overload'],
  ['ST,NT,1\xC2,000013.5 kg', 'config-error', 'net'],
  ['ST,NT,1 ,000013.5 kg', 'config-error', 'net'],
  ['ST,GS,1\xD4,000013.5 kg', 'stale', 'held'],
  ['ST,GS,1\xC4,000013.5 pc', 'config-error', 'unit'],
  ['ERR 02', 'comm-error', 'ERR 02'],
])('%j', (line, quality, why) => {
  const [answer] = read(line);
  expect(answer).toMatchObject({ ok: false, quality });
  expect(answer).toHaveProperty('why', expect.stringContaining(why));
});

test.each([
  ['gross by the header, net by the lamps', 'ST,GS,1\xC2,000013.5 kg'],
  ['net by the header, gross by the lamps', 'ST,NT,1\xC4,000013.5 kg'],
  ['a digit too few', 'ST,GS,1\xC4,00013.5 kg'],
  ['a digit too many', 'ST,GS,1\xC4,0000013.5 kg'],
  ['a blank among the digits', 'ST,GS,1\xC4,0000 3.5 kg'],
  ['no lamps', 'ST,GS,1,000013.5 kg'],
])('%s: is passed over', (_, line) => {
  expect(read(line)).toEqual([]);
});

test('of several on a line only the one that was asked is heard', () => {
  // NT-200 manual, 14: device 01 is 31, device 09 is 39, device 13 is 3D.
  expect([1, 9, 13].map((device) => casRequest(device))).toEqual(['1', '9', '=']);
  expect(read(`ST,GS,=${STABLE_GROSS},000013.5 kg`, 13)).toHaveLength(1);
  expect(read(`ST,GS,1${STABLE_GROSS},000013.5 kg`, 13)).toHaveLength(0);
});
