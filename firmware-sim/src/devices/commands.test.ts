import { describe, expect, test } from 'vitest';
import { createIndicator } from '../core/indicator.ts';
import { answer } from '../modbus/pdu.ts';
import { REGISTER_DEVICES, REGISTER_PROFILES, type RegisterProfile } from './register-devices.ts';

const MODEL = { capacityMg: 60_000_000, divisionMg: 10_000, countMg: 10_000 };

/** Empty but for 100 g, so that zero is allowed; the test loads it. */
function bench(profile: RegisterProfile) {
  const weight = { grossMg: 100_000, stable: true };
  const indicator = createIndicator(MODEL, () => weight);
  const device = REGISTER_DEVICES[profile](indicator, MODEL);
  return { device, indicator, weight };
}

interface Keys {
  readonly address: number;
  readonly zero: number;
  readonly tare: number;
  readonly clear?: number;
  /** Written before a key is pressed again, where it acts on a rising bit. */
  readonly release?: number;
}
const KEYS: Partial<Record<RegisterProfile, Keys>> = {
  'laumas-tlb': { address: 5, zero: 8, tare: 7, clear: 9 },
  'dini-argeo-dgt': { address: 0, zero: 1, tare: 2 },
  pt113: { address: 8, zero: 1, tare: 2, clear: 3 },
  'tuna-id551pn': { address: 5, zero: 0x800, tare: 0x1000, clear: 0x2000, release: 0 },
};
const withKeys = Object.entries(KEYS) as [RegisterProfile, Keys][];

describe.each(withKeys)('%s', (profile, { address, zero, tare, clear, release }) => {
  test('is zeroed, tared and cleared by what is written', () => {
    const { device, indicator, weight } = bench(profile);
    const press = (key: number): void => {
      expect(device.write(address, [key])).toBe('done');
      if (release !== undefined) expect(device.write(address, [release])).toBe('done');
    };
    press(zero);
    expect(indicator.display().grossMg).toBe(0);
    weight.grossMg = 12_440_000;
    press(tare);
    expect(indicator.display()).toMatchObject({ grossMg: 12_340_000, netMg: 0 });
    if (clear === undefined) return;
    press(clear);
    expect(indicator.display().netMg).toBe(12_340_000);
  });

  test('refuses in motion without an exception: the weight stays', () => {
    const { device, indicator, weight } = bench(profile);
    weight.stable = false;
    expect(device.write(address, [tare])).toBe('done');
    expect(indicator.display().tareMg).toBe(0);
  });

  test('knows no register beside the command’s', () => {
    expect(bench(profile).device.write(address + 1, [tare])).toBe('illegal-address');
  });
});

test('a bit that stays set at the ID551PN presses its key once', () => {
  const { device, indicator, weight } = bench('tuna-id551pn');
  device.write(5, [0x1000]);
  weight.grossMg = 12_000_000;
  device.write(5, [0x1000]);
  expect(indicator.display().tareMg).toBe(100_000);
});

const READ_ONLY = REGISTER_PROFILES.filter((profile) => KEYS[profile] === undefined);
test.each(READ_ONLY)('%s cannot be written: exception 2', (profile) => {
  const request = Buffer.from('0600000001', 'hex');
  expect(answer(bench(profile).device, request)).toEqual(Buffer.from([0x86, 2]));
});

const ask = (profile: RegisterProfile, hex: string): string =>
  answer(bench(profile).device, Buffer.from(hex, 'hex')).toString('hex');

describe('exceptions', () => {
  test.each(REGISTER_PROFILES)('%s: exception 2 beyond its registers', (profile) => {
    expect(ask(profile, '03ff000001')).toBe('8302');
  });

  test('a TLB gives at most 32 registers at once', () => {
    expect(ask('laumas-tlb', '0300000021')).toBe('8303');
  });

  test('a PT113 knows functions 3 and 16 alone', () => {
    expect(ask('pt113', '0600080001')).toBe('8601');
    expect(ask('pt113', '0400000001')).toBe('8401');
    expect(ask('pt113', '1000080001020001')).toBe('1000080001');
  });

  test('bits are there only where a sensor has them', () => {
    expect(ask('generic-int32', '0100000001')).toBe('8101');
  });
});
