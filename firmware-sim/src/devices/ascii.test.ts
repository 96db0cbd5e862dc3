import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createIndicator, type Display, type Indicator } from '../core/indicator.ts';
import type { Weight } from '../core/load-cell.ts';
import { asciiDevice, type AsciiProtocol } from './ascii-devices.ts';

const link = z.discriminatedUnion('protocol', [
  z.object({ protocol: z.literal('toledo'), checksum: z.boolean() }),
  z.object({ protocol: z.literal('a-and-d'), format: z.enum(['plain', 'gross-net']) }),
  z.object({ protocol: z.literal('cas'), deviceId: z.int() }),
  z.object({ protocol: z.literal('ohaus') }),
  z.object({ protocol: z.literal('sbi'), idCode: z.boolean() }),
]);
const shows = z.object({
  grossMg: z.int(),
  tareMg: z.int(),
  stable: z.boolean(),
  overload: z.boolean(),
  underload: z.boolean(),
  cellError: z.boolean(),
  zeroed: z.boolean(),
  unit: z.enum(['kg', 'g', 'lb']),
});
const vectors = z
  .object({
    capacityMg: z.int(),
    divisionMg: z.int(),
    links: z.array(
      z.object({
        link,
        cases: z.array(z.object({ what: z.string(), shows, latin1: z.string() })),
      }),
    ),
  })
  .parse(
    JSON.parse(
      readFileSync(new URL('../../../shared/vectors/ascii.json', import.meta.url), 'utf8'),
    ),
  );

const done = (): 'done' => 'done';

function showing(display: z.infer<typeof shows>): Indicator {
  const { grossMg, tareMg } = display;
  const shown: Display = { ...display, netMg: grossMg - tareMg, centreOfZero: grossMg === 0 };
  return {
    display: () => shown,
    isOn: () => true,
    zero: done,
    tare: done,
    presetTare: done,
    clearTare: () => {},
  };
}

const all = vectors.links.flatMap((entry) =>
  entry.cases.map((one) => ({ name: JSON.stringify(entry.link), link: entry.link, ...one })),
);

test('there are vectors for every ASCII protocol', () => {
  expect([...new Set(vectors.links.map((entry) => entry.link.protocol))].sort()).toEqual(
    ['a-and-d', 'cas', 'ohaus', 'sbi', 'toledo'].sort(),
  );
});

test.each(all)('$name sends the vector: $what', ({ link: options, shows: display, latin1 }) => {
  const { capacityMg, divisionMg } = vectors;
  const model = { serial: 'B1', capacityMg, divisionMg };
  const frame = asciiDevice(options, model, showing(display)).frame();
  expect(frame.toString('latin1')).toBe(latin1);
});

function bench(options: AsciiProtocol) {
  const model = { serial: 'B1', capacityMg: 60_000_000, divisionMg: 10_000 };
  const weight = { value: { grossMg: 12_340_000, stable: true } as Weight };
  const device = asciiDevice(
    options,
    model,
    createIndicator(model, () => weight.value),
  );
  const ask = (command: string): string | null =>
    device.execute(command).reply?.toString('latin1') ?? null;
  return { device, ask, weight };
}

describe('commands', () => {
  test('A&D: Q now, S only when stable, T and Z, RG gross, and ? for others', () => {
    const { device, ask, weight } = bench({ protocol: 'a-and-d', format: 'gross-net' });
    expect(ask('Q\r\n')).toBe('ST,GS,+0012.34kg\r\n');
    expect(ask('Z\r\n')).toBe('I\r\n');
    expect(ask('T\r\n')).toBe('T\r\n');
    expect(ask('Q\r\n')).toBe('ST,NT,+0000.00kg\r\n');
    expect(ask('RG\r\n')).toBe('ST,GS,+0012.34kg\r\n');
    expect(ask('CT\r\n')).toBe('CT\r\n');
    weight.value = { grossMg: 100_000, stable: false };
    expect(ask('S\r\n')).toBe('I\r\n');
    expect(ask('W\r\n')).toBe('?\r\n');
    expect(device.execute('SIR\r\n').stream).toBe(true);
    expect(device.execute('C\r\n').stream).toBe(false);
  });

  test('Ohaus: IP now, SP when stable, CP until 0P', () => {
    const { device, ask, weight } = bench({ protocol: 'ohaus' });
    expect(ask('IP\r\n')).toBe('    12.34 kg    G  \r\n');
    expect(ask('T\r\n')).toBeNull();
    expect(ask('P\r\n')).toBe('     0.00 kg    NET\r\n');
    weight.value = { grossMg: 12_340_000, stable: false };
    expect(ask('SP\r\n')).toBeNull();
    expect(device.execute('CP\r\n').stream).toBe(true);
    expect(device.execute('0P\r\n').stream).toBe(false);
    expect(ask('XY\r\n')).toBe('ES\r\n');
  });

  test('SBI: ESC P prints, ESC T tares, with or without CR LF, and noise is skipped', () => {
    const { device, ask, weight } = bench({ protocol: 'sbi', idCode: false });
    expect([device.commandLength('\x1b'), device.commandLength('\x1bP')]).toEqual([0, 2]);
    expect(device.commandLength('\r\n')).toBe(1);
    expect(ask('\x1bP')).toBe('+    12.34 kg \r\n');
    expect(ask('\r')).toBeNull();
    ask('\x1bT');
    expect(ask('\x1bP')).toBe('+     0.00 kg \r\n');
    weight.value = { grossMg: 12_340_000, stable: false };
    expect(ask('\x1bP')).toBe('+     0.00    \r\n');
  });

  test('CAS answers to its own number alone', () => {
    const { ask } = bench({ protocol: 'cas', deviceId: 2 });
    expect(ask('2')).toHaveLength(22);
    expect(ask('1')).toBeNull();
  });

  test('Toledo knows T, C and Z', () => {
    const { device } = bench({ protocol: 'toledo', checksum: false });
    device.execute('T');
    expect(device.frame().toString('latin1', 4)).toBe('000000001234\r');
    device.execute('C');
    expect(device.frame().toString('latin1', 4)).toBe('001234000000\r');
  });
});

test('the checksum of a Toledo frame makes the sum 0 in seven bits', () => {
  const { device, weight } = bench({ protocol: 'toledo', checksum: true });
  for (const grossMg of [0, 10_000, 12_340_000, 59_990_000, -150_000]) {
    weight.value = { grossMg, stable: grossMg % 20_000 === 0 };
    const frame = device.frame();
    expect(frame).toHaveLength(18);
    expect(frame.reduce((sum, byte) => sum + byte, 0) & 0x7f).toBe(0);
  }
});

test('a weight shown in pounds says so', () => {
  const { ask, weight } = bench({ protocol: 'a-and-d', format: 'plain' });
  weight.value = { grossMg: 45_359_237, stable: true, unit: 'lb' };
  expect(ask('Q')).toBe('ST,+00100.00 lb\r\n');
});
