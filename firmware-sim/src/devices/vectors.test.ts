import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Display, Indicator } from '../core/indicator.ts';
import { REGISTER_DEVICES, REGISTER_PROFILES } from './register-devices.ts';

const vectorsSchema = z.object({
  capacityMg: z.int(),
  divisionMg: z.int(),
  profiles: z.record(
    z.string(),
    z.object({
      table: z.enum(['holding', 'input']),
      address: z.int(),
      countMg: z.int(),
      cases: z.array(
        z.object({
          what: z.string(),
          shows: z.object({
            grossMg: z.int(),
            tareMg: z.int(),
            stable: z.boolean(),
            overload: z.boolean(),
            underload: z.boolean(),
            cellError: z.boolean(),
            centreOfZero: z.boolean(),
          }),
          words: z.string(),
        }),
      ),
    }),
  ),
});
const file = new URL('../../../shared/vectors/registers.json', import.meta.url);
const vectors = vectorsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));

/** An indicator that shows what the vector says. */
function showing(shows: Omit<Display, 'netMg' | 'zeroed' | 'unit'>): Indicator {
  const display = { ...shows, netMg: shows.grossMg - shows.tareMg, zeroed: true } as const;
  return {
    display: () => ({ ...display, unit: 'kg' }),
    isOn: () => true,
    zero: () => 'done',
    tare: () => 'done',
    presetTare: () => 'done',
    clearTare: () => {},
  };
}

test('there are vectors for every profile', () => {
  expect(Object.keys(vectors.profiles).sort()).toEqual([...REGISTER_PROFILES].sort());
});

test.each(
  REGISTER_PROFILES.flatMap((profile) =>
    (vectors.profiles[profile]?.cases ?? []).map((one) => ({ profile, ...one })),
  ),
)('$profile, $what: has the registers of the vector', ({ profile, shows, words }) => {
  const { capacityMg, divisionMg, profiles } = vectors;
  const { table = 'holding', address = 0, countMg = 1 } = profiles[profile] ?? {};
  const model = { capacityMg, divisionMg, countMg };
  const device = REGISTER_DEVICES[profile](showing(shows), model);
  const expected = words.split(' ').map((word) => Number.parseInt(word, 16));
  expect(device.read(table, address, expected.length)).toEqual(expected);
});
