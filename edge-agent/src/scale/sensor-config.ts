import { z } from 'zod';
import { MOST_REGISTERS, REGISTER_TYPES, widthOf, type RegisterType } from '#shared/profile.ts';
import { place } from './link-config.ts';

/** Wire address, from 0: 40001, 30001, 10001 and 00001 are all 0. */
const address = z.int().min(0).max(65_535);
const order = z.enum(['big', 'little']).default('big');

const register = {
  ...place,
  table: z.enum(['holding', 'input']),
  address,
  type: z.enum(REGISTER_TYPES).default('uint16'),
  words: z.strictObject({ order, bytes: order }).prefault({}),
  /** What the sensor can give; anything else is a fault: 4 to 20 mA below 3.6 mA is a broken wire. */
  valid: z.strictObject({ from: z.number(), to: z.number() }).optional(),
  /** A bit of a register of the same table that is set while the sensor vouches for its value. */
  sure: z
    .strictObject({
      address,
      bit: z.int().min(0).max(15),
      /** Whether 0 means sure. */
      inverted: z.boolean().default(false),
    })
    .optional(),
  maxRegisters: z.int().min(2).max(MOST_REGISTERS).default(MOST_REGISTERS),
};

/** The registers of value and `sure`, which come from one request. */
export function sensorSpan({
  address: first,
  type,
  sure,
}: {
  readonly address: number;
  readonly type: RegisterType;
  readonly sure?: { readonly address: number } | undefined;
}): { readonly first: number; readonly count: number } {
  const start = Math.min(first, sure?.address ?? first);
  const end = Math.max(first + widthOf(type), (sure?.address ?? first) + 1);
  return { first: start, count: end - start };
}

function inOneRequest(
  sensor: Parameters<typeof sensorSpan>[0] & { readonly maxRegisters: number },
  context: z.RefinementCtx,
): void {
  const { count } = sensorSpan(sensor);
  if (count <= sensor.maxRegisters) return;
  const message = `at most ${sensor.maxRegisters} registers away from the value`;
  context.addIssue({ code: 'custom', path: ['sure', 'address'], message });
}

const levels = z
  .array(z.strictObject({ at: z.number(), massMg: z.int().min(0) }))
  .min(2)
  .refine(
    (points) => points.every(({ at }, place) => place === 0 || at > (points[place - 1]?.at ?? at)),
    'points whose `at` increases',
  );

/** Sensors behind Modbus that are no scales. */
export const sensor = z.discriminatedUnion(
  'kind',
  [
    /** A number of pieces. */
    z.strictObject({ ...register, kind: z.literal('count') }).superRefine(inOneRequest),
    /** A level, by a table to mass. */
    z
      .strictObject({
        ...register,
        kind: z.literal('level'),
        levels,
        /** Smallest step that is worth a reading. */
        divisionMg: z.int().min(1),
      })
      .superRefine(inOneRequest),
    /** Present or absent: 1000 or 0 permille of what the bin holds. */
    z
      .strictObject({
        ...place,
        kind: z.literal('presence'),
        table: z.enum(['coil', 'discrete', 'holding', 'input']),
        address,
        /** Which bit of a register, 0 the lowest; not with coils and discrete inputs. */
        bit: z.int().min(0).max(15).optional(),
        /** Whether 0 means present. */
        inverted: z.boolean().default(false),
        maxRegisters: z.int().min(1).max(MOST_REGISTERS).default(MOST_REGISTERS),
      })
      .superRefine(({ table, bit }, context) => {
        const isBit = table === 'coil' || table === 'discrete';
        if (isBit === (bit === undefined)) return;
        const message = isBit ? `no bit: ${table} holds bits` : 'a bit of the register, 0 to 15';
        context.addIssue({ code: 'custom', path: ['bit'], message });
      }),
  ],
  { error: 'one of count, level, presence' },
);

export type SensorConfig = z.output<typeof sensor>;
