import { z } from 'zod';
import { parseConfig } from './config-file.ts';

/**
 * A profile says how an indicator lays its weight out in Modbus registers: data, one YAML file per
 * indicator in `shared/profiles`, or a user's own file beside agent.yaml. Only the schema is shared;
 * agent and simulator read and write registers by code of their own.
 */

/** Registers of one read request; the Modbus application protocol, 6.3, allows 125. */
export const MOST_REGISTERS = 125;

export const REGISTER_TABLES = ['holding', 'input'] as const;
export type RegisterTable = (typeof REGISTER_TABLES)[number];

export const REGISTER_TYPES = ['int16', 'uint16', 'int32', 'uint32', 'float32'] as const;
export type RegisterType = (typeof REGISTER_TYPES)[number];

/** Registers that a value of this type takes. */
export function widthOf(type: RegisterType): 1 | 2 {
  return type === 'int16' || type === 'uint16' ? 1 : 2;
}

/** What manuals call the first register of a table; its wire address is 0. */
const FIRST_NUMBER: Readonly<Record<RegisterTable, number>> = { holding: 40_001, input: 30_001 };

/** The number that manuals print for a wire address: 0 of the holding registers is 40001. */
export const registerNumber = (table: RegisterTable, address: number): number =>
  address > 9_998 ? 10 * (FIRST_NUMBER[table] - 1) + 1 + address : FIRST_NUMBER[table] + address;

/**
 * Where a value starts: `address` as it goes over the wire, from 0, and `register` as manuals write
 * it, from 40001 or 30001. The two are confused all the time, so both are written and must agree.
 */
const place = {
  address: z.int().min(0).max(65_535),
  register: z.int().min(30_001).max(465_536).optional(),
};

/** A bit of a status value, 0 the lowest; `inverted` where 0 means yes. */
const flag = {
  bit: z.int().min(0).max(31),
  inverted: z.boolean().default(false),
};

/**
 * What a bit of the status can mean. `negative` is the sign of a weight given as a magnitude, `net`
 * says that the displayed weight is net, `not-zeroed` that the zero was not found at power-up, and
 * `error` that there is no weight at all. What is not said here is not read.
 */
const FLAG_MEANINGS = [
  'stable',
  'negative',
  'net',
  'overload',
  'underload',
  'not-zeroed',
  'error',
] as const;

/** A part of a register that holds a code: `bits` of them from bit `from` upwards. */
const code = {
  ...place,
  from: z.int().min(0).max(31).default(0),
  bits: z.int().min(1).max(32).optional(),
  type: z.enum(['uint16', 'uint32']).default('uint16'),
};

const codes = <Value extends z.ZodType>(value: Value): z.ZodRecord<z.ZodString, Value> =>
  z.record(z.string().regex(/^\d+$/, 'a whole number'), value);

const MASS_UNITS = ['mg', 'g', 'kg', 't', 'lb'] as const;
export type MassUnit = (typeof MASS_UNITS)[number];

const decimals = z.int().min(0).max(9);
const fault = z.strictObject({
  means: z.enum(['overload', 'underload', 'not-zeroed', 'error']),
  why: z.string().min(1),
});

const profileSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'small letters, digits and hyphens'),
    vendor: z.string().min(1),
    /** Where the addresses come from: title and page. */
    manual: z.string().min(1),
    /** All that a profile names lies in this table. */
    table: z.enum(REGISTER_TABLES),
    /** How many registers the indicator gives in one answer. */
    maxRegisters: z.int().min(1).max(MOST_REGISTERS).default(MOST_REGISTERS),
    words: z
      .strictObject({
        /** Which word of two comes first; `big` is the high one. */
        order: z.enum(['big', 'little']).default('big'),
        /** Which byte of a word comes first; `big` is the standard. */
        bytes: z.enum(['big', 'little']).default('big'),
      })
      .prefault({}),
    value: z.strictObject({
      ...place,
      type: z.enum(REGISTER_TYPES),
      /**
       * `displayed`: gross or net, whatever the indicator shows; then a bit must tell net. From net
       * alone no stock can be told, since nobody knows the tare: such a profile cannot be written.
       */
      is: z.enum(['gross', 'displayed']),
    }),
    status: z
      .strictObject({
        ...place,
        type: z.enum(['uint16', 'uint32']).default('uint16'),
        /** Judged in this order. */
        bits: z
          .array(
            z.strictObject({ ...flag, means: z.enum(FLAG_MEANINGS), why: z.string().optional() }),
          )
          .min(1),
      })
      .optional(),
    /** 0 is no error; a code that `codes` does not name is an error of its own number. */
    errorCode: z.strictObject({ ...code, codes: codes(fault).default({}) }).optional(),
    /** Digits after the point: a number, or where the indicator says it. */
    decimals: z
      .union([decimals, z.strictObject({ ...code, codes: codes(decimals).optional() })])
      .default(0),
    /** Unit of mass: fixed, or where the indicator says it; without it agent.yaml's `countMg` says. */
    unit: z
      .union([z.enum(MASS_UNITS), z.strictObject({ ...code, codes: codes(z.enum(MASS_UNITS)) })])
      .optional(),
    /** Constants that show that these are the registers they are taken for. */
    expect: z.array(z.strictObject({ ...place, value: z.int().min(0).max(0xffff) })).default([]),
  })
  .superRefine((profile, context) => {
    const say = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    for (const { path, address, register } of placesOf(profile)) {
      const number = registerNumber(profile.table, address);
      if (register !== undefined && register !== number) {
        say([...path, 'register'], `${number}, which wire address ${address} is`);
      }
    }
    const { first, count } = spanOf(profile);
    if (count > profile.maxRegisters) {
      say(
        ['maxRegisters'],
        `at least ${count}: weight and status come from one request, from ${first} on`,
      );
    }
    const bits = profile.status?.bits ?? [];
    const wide = profile.status?.type === 'uint32' ? 32 : 16;
    for (const [place, { bit }] of bits.entries()) {
      if (bit >= wide) say(['status', 'bits', place, 'bit'], `less than ${wide}`);
    }
    if (profile.value.is === 'displayed' && !bits.some(({ means }) => means === 'net')) {
      say(['value', 'is'], 'gross, or a status bit that means net');
    }
  });

export type RegisterProfile = z.output<typeof profileSchema>;

interface Place {
  readonly path: (string | number)[];
  readonly address: number;
  readonly register?: number | undefined;
  readonly width: 1 | 2;
}

/** Every value that a profile names, and where it stands in the file. */
export function placesOf(profile: RegisterProfile): Place[] {
  const { value, status, errorCode, decimals, unit, expect } = profile;
  const named = [
    { path: ['value'], at: value },
    { path: ['status'], at: status },
    { path: ['errorCode'], at: errorCode },
    { path: ['decimals'], at: typeof decimals === 'object' ? decimals : undefined },
    { path: ['unit'], at: typeof unit === 'object' ? unit : undefined },
    ...expect.map((at, place) => ({
      path: ['expect', place],
      at: { ...at, type: 'uint16' as const },
    })),
  ];
  return named.flatMap(({ path, at }) =>
    at === undefined
      ? []
      : [{ path, address: at.address, register: at.register, width: widthOf(at.type) }],
  );
}

/** The registers that one request must hold, so that weight and status belong together. */
export function spanOf(profile: RegisterProfile): {
  readonly first: number;
  readonly count: number;
} {
  const places = placesOf(profile);
  const first = Math.min(...places.map(({ address }) => address));
  const end = Math.max(...places.map(({ address, width }) => address + width));
  return { first, count: end - first };
}

/** @throws ConfigError with every fault of the file, each with its line */
export function parseProfile(file: string, text: string): RegisterProfile {
  return parseConfig(file, text, profileSchema);
}
