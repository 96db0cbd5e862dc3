import { expect, test } from 'vitest';
import { ohausCodec } from './ohaus.ts';

const read = (line: string, tare: 'marked' | 'locked' = 'marked'): unknown[] =>
  ohausCodec({ tare })
    .push(Buffer.from(`${line}\r\n`, 'latin1'))
    .map(({ read }) => read);

// Ohaus 3000 Series Indicators manual, 5.2: polarity, blank, weight of 7, blank, unit of 5, stability,
// legend of 3. The one with a weight of 8 was recorded from a Defender 3000 by LuckyTex.
test.each([
  ['   12.345 kg    G  ', 12_345_000, true],
  ['-  12.345 kg    G  ', -12_345_000, true],
  ['   12.345 kg   ?G  ', 12_345_000, false],
  ['   0.360 kg    G', 360_000, true],
  ['  -0.360 kg    G', -360_000, true],
  ['     12.5 lb    G  ', 5_669_905, true],
  ['     12.5 oz    G  ', 354_369, true],
  ['     1250 g     G  ', 1_250_000, true],
])('%j', (line, massMg, stable) => {
  expect(read(line)).toEqual([{ ok: true, massMg, stable }]);
});

// Ohaus RS232 interface manual, p. EN-3: balances whose weight has 11 characters and no legend.
test.each([
  ['        0.00 g     ', 0, true],
  ['       12.73 g    ?', 12_730, false],
  ['      0.4500 oz    ', 12_757, true],
])('%j', (line, massMg, stable) => {
  expect(read(line, 'locked')).toEqual([{ ok: true, massMg, stable }]);
  expect(read(line, 'marked')).toMatchObject([{ quality: 'config-error' }]);
});

test.each([
  ['   12.345 kg    NET', 'config-error', 'net'],
  ['   12.345 kg    N', 'config-error', 'net'],
  ['        3 PCS   G  ', 'config-error', 'unit'],
  ['Err 8.1', 'config-error', 'zeroed'],
  ['Err 8.2', 'config-error', 'zeroed'],
  ['Err 8.3', 'overload', 'overload'],
  ['Error 8.4', 'underload', 'underload'],
  ['Err 53', 'comm-error', '53'],
  ['ES', 'config-error', 'command'],
])('%j', (line, quality, why) => {
  for (const tare of ['marked', 'locked'] as const) {
    const [answer] = read(line, tare);
    expect(answer).toMatchObject({ ok: false, quality });
    expect(answer).toHaveProperty('why', expect.stringContaining(why));
  }
});

test.each([
  ['the tare', '    0.500 kg    T  '],
  ['a line that begins amid its digits', '.345 kg    G  '],
  ['a blank among the digits', '   12 345 kg    G  '],
  ['two signs', '- -12.345 kg    G  '],
  ['a receipt', 'TOTAL OF THE DAY'],
  ['an acknowledgement', 'OK!'],
])('%s is passed over', (_, line) => {
  expect(read(line, 'locked')).toEqual([]);
});
