import { z } from 'zod';
import { parseConfig } from '#shared/config-file.ts';
import { agentId, binId, customerId, ID_PATTERN, productId, siteId } from '#shared/ids.ts';
import { QUANTITY_UNITS } from '#shared/units.ts';
import { hourlyShares } from '../core/rhythm.ts';
import { A_AND_D_FORMATS } from '../devices/a-and-d.ts';
import { REGISTER_PROFILES } from '../devices/register-devices.ts';
import { faultRules } from '../faults/section.ts';
import { cell, moments, outage } from './cell.ts';
import { crossCheck } from './checks.ts';
import { faultyPaths, soundParts } from './sound.ts';

const id = z.string().regex(ID_PATTERN, { error: `an id: ${ID_PATTERN.source}` });
const label = z.string().trim().min(1);
const positive = z.int().min(1);
const amount = z.int().min(0);
/** One of those built in, or of the scenario's own `rhythms`. */
const rhythm = id;
/** 0 lets the system choose, for tests. */
const port = z.int().min(0).max(65_535);
const baud = z.literal([1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200]);

const product = z.strictObject({
  id: id.transform(productId),
  name: label,
  unit: z.enum(QUANTITY_UNITS),
  /** Nominal mass of one piece; only where `unit` is piece. */
  pieceMassMg: positive.optional(),
  /** Standard deviation of one piece's mass. */
  scatterMg: amount.optional(),
});

/** Amounts in the product's unit: pieces or mg. */
const stock = z.strictObject({
  initial: amount,
  refillAt: amount,
  refillTo: positive,
  refillDelayH: z.number().min(0.1).max(1000),
});

const use = z.strictObject({
  /** Mean amount used on a full working day. */
  perDay: z.number().positive(),
  pickMin: positive,
  pickMax: positive,
  rhythm,
});

/** What somebody does to a bin's content, at times or at random. */
const deed = z.discriminatedUnion('kind', [
  z.strictObject({ ...moments, kind: z.enum(['take', 'put', 'theft']), quantity: positive }),
  /** All of it out, and `quantity` of another product in. */
  z.strictObject({
    ...moments,
    kind: z.literal('swap'),
    quantity: amount,
    to: id.transform(productId),
  }),
]);

/** Hours of the week with their weight: 1 Monday to 7 Sunday, local time, `to` exclusive. */
const spans = z
  .array(
    z.strictObject({
      days: z.array(z.int().min(1).max(7)).min(1),
      from: z.int().min(0).max(23),
      to: z.int().min(1).max(24),
      weight: z.number().positive(),
    }),
  )
  .min(1)
  .refine((table) => table.every(({ from, to }) => from < to), 'spans with from before to')
  .transform(hourlyShares);

const scaleShape = {
  bin: id.transform(binId),
  name: label,
  product: id.transform(productId),
  capacityMg: positive,
  /** Mass of the empty container. */
  tareMg: amount,
  divisionMg: positive,
  /** Standard deviation of one sample. */
  noiseMg: z.number().min(0),
  /** Random walk of the zero. */
  driftMgPerSqrtH: z.number().min(0),
  stock,
  /** What people take out; or `ships`, never both. */
  use: use.optional(),
  /** A store from which the other bins of the same product are refilled. */
  ships: z.strictObject({ rhythm }).optional(),
  /** What happens beside; a scale with events needs neither `use` nor `ships`. */
  events: z.array(deed).min(1).optional(),
  /** How the load cell misbehaves. */
  cell: cell.optional(),
  /** The indicator is without power. */
  outage: outage.optional(),
  /** What goes wrong with its answers. */
  faults: faultRules,
};

const modbusScale = z.strictObject({
  ...scaleShape,
  unit: z.int().min(1).max(247),
  profile: z.enum(REGISTER_PROFILES),
  /** Mass of one count in the register. */
  countMg: positive,
});
const sensorScale = z.strictObject({
  ...scaleShape,
  unit: z.int().min(1).max(247),
  /** No scale: it counts, measures the level, or sees whether anything lies there. */
  sensor: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('count') }),
    z.strictObject({ kind: z.literal('level') }),
    z.strictObject({ kind: z.literal('presence'), from: positive.default(1) }),
  ]),
});
const onModbus = z.array(z.union([modbusScale, sensorScale])).min(1);
const lineScale = z.strictObject(scaleShape);
/** ASCII protocols have no addresses: one scale a line. */
const lineShape = {
  name: id,
  port,
  baud,
  outage: outage.optional(),
  /** What goes wrong on the line. */
  faults: faultRules,
  scales: z.array(lineScale).length(1),
};
/** Seven data bits and this parity; `none`: eight data bits. CAS has a byte of eight bits. */
const parity = z.enum(['none', 'even', 'odd']).default('none');
/** Whether it sends without being asked. */
const send = z.enum(['stream', 'on-request']).default('stream');

const link = z.discriminatedUnion('protocol', [
  z.strictObject({
    name: id,
    protocol: z.literal('modbus-tcp'),
    port,
    outage: outage.optional(),
    faults: faultRules,
    scales: onModbus,
  }),
  z.strictObject({
    name: id,
    protocol: z.literal('modbus-rtu'),
    port,
    baud,
    outage: outage.optional(),
    faults: faultRules,
    scales: onModbus,
  }),
  z.strictObject({ ...lineShape, parity, protocol: z.literal('mt-sics') }),
  z.strictObject({
    ...lineShape,
    protocol: z.literal('toledo'),
    checksum: z.boolean().default(true),
    parity,
  }),
  z.strictObject({
    ...lineShape,
    protocol: z.literal('a-and-d'),
    format: z.enum(A_AND_D_FORMATS).default('plain'),
    parity,
    send,
  }),
  z.strictObject({
    ...lineShape,
    protocol: z.literal('cas'),
    deviceId: z.int().min(0).max(31).default(1),
    send,
  }),
  z.strictObject({ ...lineShape, protocol: z.literal('ohaus'), parity, send }),
  z.strictObject({
    ...lineShape,
    protocol: z.literal('sbi'),
    /** Six characters before each line that say gross or net. */
    idCode: z.boolean().default(false),
    parity,
    send,
  }),
]);

const site = z.strictObject({
  id: id.transform(siteId),
  name: label,
  /** `null` for the supplier's own. */
  customer: id.transform(customerId).nullable(),
  timeZone: z.string().refine(isTimeZone, { error: 'an IANA time zone such as Europe/Berlin' }),
  agent: id.transform(agentId),
  /** All its links are away: the site's network. */
  outage: outage.optional(),
  links: z.array(link).min(1),
});

const scenario = z.strictObject({
  name: id,
  seed: z.int().min(0).max(0xffff_ffff),
  historyDays: z.int().min(1).max(366),
  /** Tables of work over the week, beside those built in. */
  rhythms: z.record(id, spans).default({}),
  customers: z.array(z.strictObject({ id: id.transform(customerId), name: label })),
  products: z.array(product).min(1),
  sites: z.array(site).min(1),
});

export type Scenario = z.infer<typeof scenario>;
export type Site = z.infer<typeof site>;
export type Link = z.infer<typeof link>;
type ModbusScale = z.infer<typeof modbusScale>;
type SensorScale = z.infer<typeof sensorScale>;
type LineScale = z.infer<typeof lineScale>;
export type Scale = ModbusScale | SensorScale | LineScale;
export type ScaleEvent = z.infer<typeof deed>;
export type Product = z.infer<typeof product>;

const checkedScenario = scenario.superRefine(
  (content, context) => {
    const faults = faultyPaths(context.issues);
    const sound = soundParts(content, faults);
    const told = new Set(faults.map((path) => path.join('.')));
    for (const { path, expected } of sound ? crossCheck(sound, content) : []) {
      if (told.has(path.join('.'))) continue;
      context.addIssue({ code: 'custom', path: [...path], message: expected });
    }
  },
  // Also where single values are wrong: all faults are told at once.
  { when: () => true },
);

/** Seven data bits and a parity, or eight data bits and `none`. */
export const parityOf = (link: Link): z.infer<typeof parity> =>
  'parity' in link ? link.parity : 'none';

/** @throws ConfigError with every fault */
export function parseScenario(file: string, text: string): Scenario {
  return parseConfig(file, text, checkedScenario);
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
