import { describe, expect, test } from 'vitest';
import { sbiCodec } from './sbi.ts';

const read = (line: string, tare: 'marked' | 'locked' = 'locked'): unknown[] =>
  sbiCodec({ tare })
    .push(Buffer.from(`${line}\r\n`, 'latin1'))
    .map(({ read }) => read);

describe('of 16 characters', () => {
  // FB manual, p. 66: +*** 1255.7 *g**; ME215S manual, p. 135: +111.25507 mg; GC803S manual, p. 57.
  test.each([
    ['+   1255.7 g  ', 1_255_700],
    ['+111.25507 mg ', 111],

    ['-   1255.7 kg ', -1_255_700_000],
    ['       0.0 g  ', 0],
    ['+   12.500 ozt', 388_793],
    ['+   123.5[6]g  ', 123_560],
  ])('%j', (line, massMg) => {
    expect(read(line)).toEqual([{ ok: true, massMg, stable: true }]);
    expect(read(line, 'marked')).toMatchObject([{ quality: 'config-error' }]);
  });

  // LE2202S manual, p. 51: special codes.
  test.each([
    ['      H       ', 'overload'],
    ['      L       ', 'underload'],
    ['      C       ', 'comm-error'],
    ['   Err 54     ', 'comm-error'],
    ['+      100 pcs', 'config-error'],
  ])('%j', (line, quality) => {
    for (const tare of ['marked', 'locked'] as const) {
      expect(read(line, tare)).toMatchObject([{ ok: false, quality }]);
    }
  });

  test('without a unit the weight is in motion, in the unit of the one before', () => {
    const codec = sbiCodec({ tare: 'locked' });
    const push = (line: string): unknown[] =>
      codec.push(Buffer.from(`${line}\r\n`)).map(({ read }) => read);
    expect(push('+   1255.7    ')).toEqual([]);
    expect(push('+   1255.7 g  ')).toHaveLength(1);
    expect(push('+   1256.9    ')).toEqual([{ ok: true, massMg: 1_256_900, stable: false }]);
  });
});

describe('of 22 characters', () => {
  // Entris II manual, p. 3: N + 123.56 g; ME215S manual, p. 135: ids; Master series manual, 5-5: Stat.
  test('gross says so', () => {
    expect(read('G     +   123.56 g  ', 'marked')).toMatchObject([{ massMg: 123_560 }]);
    expect(read('G#    -   123.56 g  ', 'marked')).toMatchObject([{ massMg: -123_560 }]);
  });

  test('a balance calls every weight net: only who locks the tare key may take it', () => {
    expect(read('N     +   123.56 g  ', 'marked')).toMatchObject([{ quality: 'config-error' }]);
    expect(read('N     +   123.56 g  ', 'locked')).toMatchObject([{ massMg: 123_560 }]);
    expect(read('N1    +   123.56 g  ', 'locked')).toMatchObject([{ quality: 'config-error' }]);
  });

  test.each([
    ['Stat        High    ', 'overload'],
    ['Stat        Low     ', 'underload'],
    ['Stat        H       ', 'overload'],
    ['Stat     ERR 054    ', 'comm-error'],
    ['Stat      Cal. Ext. ', 'comm-error'],
  ])('%j', (line, quality) => {
    expect(read(line)).toMatchObject([{ ok: false, quality }]);
  });

  test.each(['Qnt   +       12 pcs', 'T1    +   123.56 g  ', 'Total +   123.56 g  '])(
    '%j is passed over or a fault, never a weight',
    (line) => {
      expect(read(line).some((answer) => (answer as { ok: boolean }).ok)).toBe(false);
    },
  );
});

test.each(['+  1255.7 g  ', '+    1255.7 g  ', '+   12 5.7 g  ', '+   1255.7g   ', ''])(
  '%j is passed over',
  (line) => {
    expect(read(line)).toEqual([]);
  },
);
