import { describe, expect, test } from 'vitest';
import { aAndDCodec } from './a-and-d.ts';

const read = (line: string, tare: 'marked' | 'locked' = 'locked'): unknown[] =>
  aAndDCodec({ tare })
    .push(Buffer.from(`${line}\r\n`, 'latin1'))
    .map(({ read }) => read);

describe('of a balance', () => {
  // EK-i/EK-L manual, 9-2; EJ-120 manual, p. 24; GC manual, 16.2; the last is of field notes.
  test.each([
    ['ST,+00000.00  g', 0, true],
    ['ST,+001234.5  g', 1_234_500, true],
    ['US,-00183.69  g', -183_690, false],
    ['ST,+0001.234 kg', 1_234_000, true],
    ['ST,OK,+0001.234 kg', 1_234_000, true],
    ['ST,+00012,50  g', 12_500, true],
    ['ST,+00010.00 oz', 283_495, true],
    ['ST,+00010.00 lb', 4_535_924, true],
    ['ST,+00010.00ozt', 311_035, true],
    ['ST,+00001234.5  g', 1_234_500, true],
  ])('%s', (line, massMg, stable) => {
    expect(read(line)).toEqual([{ ok: true, massMg, stable }]);
    expect(read(line, 'marked')).toMatchObject([{ quality: 'config-error' }]);
  });

  test.each([
    ['OL,+999999.9  g', 'overload'],
    ['OL,-99999999 PC', 'underload'],
    ['OL,+9999999E+19', 'overload'],
    ['OL,-9999999E+19', 'underload'],
    ['OL,+0000.234 PC', 'overload'],
    ['QT,+00012345 PC', 'config-error'],
    ['ST,+000123.4  %', 'config-error'],
    ['ST,+00012.34  t', 'config-error'],
    ['EC,E01', 'config-error'],
    ['EC,E02', 'comm-error'],
    ['EC,E20', 'comm-error'],
    ['?', 'config-error'],
    ['I', 'comm-error'],
  ])('%s', (line, quality) => {
    expect(read(line)).toMatchObject([{ ok: false, quality }]);
  });
});

describe('of an indicator', () => {
  // AD-4406 and AD-4407 manuals, 13.2 and 13.3; AD-4402 manual, 8.2.5; CAS CI-600D, 10-3.
  test.each([
    ['ST,GS,+00000.0kg', 0, true],
    ['ST,GS,+00213.0 kg', 213_000_000, true],
    ['ST,GS,+0012345kg', 12_345_000_000, true],
    ['US,GS,-0012.34kg', -12_340_000, false],
    ['ST,GS,+0012.34 t', 12_340_000_000, true],
    ['ST,G,+0012.34kg', 12_340_000, true],
    ['ST,GS,+000012.Kg', 12_000_000, true],
  ])('%s', (line, massMg, stable) => {
    expect(read(line, 'marked')).toEqual([{ ok: true, massMg, stable }]);
  });

  test.each([
    ['ST,NT,+0012.34kg', 'config-error', 'net'],
    ['ST,N,+0012.34kg', 'config-error', 'net'],
    ['OL,GS,+    .  kg', 'overload', 'overload'],
    ['OL,GS,-    .  kg', 'underload', 'underload'],
    ['OL,NT,       .  kg', 'overload', 'overload'],
    ['LO,GS,+    .  kg', 'overload', 'overload'],
    ['HD,GS,+0012.34kg', 'stale', 'held'],
    ['ST,GS,+0012.34pc', 'config-error', 'unit'],
  ])('%s', (line, quality, why) => {
    for (const tare of ['marked', 'locked'] as const) {
      const [answer] = read(line, tare);
      expect(answer).toMatchObject({ ok: false, quality });
      expect(answer).toHaveProperty('why', expect.stringContaining(why));
    }
  });
});

test('without a second header it says how to tell that the scale is not tared', () => {
  expect(read('ST,+00012.34  g', 'marked')).toEqual([
    { ok: false, quality: 'config-error', why: expect.stringContaining('tare: locked') },
  ]);
});

test.each([
  'ST,TR,+0012.34kg',
  'ST,GS,0012.34kg',
  'ST,GS,+12.34kg',
  'ST,GS,+00.12.34kg',
  'ST,GS,+00 12.34kg',
  'S,GS,+0012.34kg',
  'ST,GS,+0012.34',
  '',
])('%j is passed over', (line) => {
  expect(read(line)).toEqual([]);
});

test('parity in bit 7 and noise in front mean nothing', () => {
  const codec = aAndDCodec({ tare: 'marked' });
  const even = Buffer.from('ST,GS,+0012.34kg\r\n', 'latin1').map((byte) => byte | 0x80);
  expect(codec.push(even)).toHaveLength(1);
  expect(codec.push(Buffer.from('\0\xFF\x02ST,GS,+0012.34kg\r\n', 'latin1'))).toHaveLength(1);
  expect(codec.push(Buffer.from('9ST,GS,+0012.34kg\r\n', 'latin1'))).toHaveLength(0);
});
