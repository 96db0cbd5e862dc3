import { z } from 'zod';
import { ID_PATTERN } from '#shared/ids.ts';
import { GAP_CAUSES, QUALITIES } from '#shared/reading.ts';
import { CONFIG_STATES } from '#shared/wire/config.ts';
import { QUANTITY_UNITS, READING_UNITS } from '#shared/units.ts';
import { CONFIGURATION_STATES } from '../configuration/core/state.ts';
import { MOVEMENT_KINDS } from '../consumption/core/model.ts';

/**
 * The shapes of the API under /api/v1. Times are ms since 1970 UTC; quantities are integers in
 * `unit`: pieces, or milligrams of a bulk product. The terminals take their types from here.
 */

const id = z.string().regex(ID_PATTERN, 'expected letters, digits, dot, dash or underscore, ≤ 64');
const name = z
  .string()
  .max(200)
  .regex(/^(?=.*\S)[^\p{Cc}\p{Cs}]*$/u, 'expected a text without control characters');
const time = z.int().min(0);
const mass = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** A whole number as a query has it: digits and nothing else, where `Number` would take much more. */
function digits(least: number, most: number, what = 'a whole number') {
  const expected = `expected ${what}, ${least} to ${most}`;
  return z.preprocess(
    (text) => (typeof text === 'string' && !/^\d{1,16}$/.test(text) ? Number.NaN : text),
    z.coerce.number(expected).int(expected).min(least, expected).max(most, expected),
  );
}
/** The last instant of ECMAScript's calendar. */
const LAST_MS = 8.64e15;
const instant = digits(0, LAST_MS, 'milliseconds since 1970 UTC');

export const ROLES = ['supplier', 'customer', 'technician'] as const;
export type Role = (typeof ROLES)[number];

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});

export const pageQuerySchema = z.object({
  limit: digits(1, 1_000).default(100),
  cursor: z.string().optional(),
});
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    /** Give it as `cursor` to read on; null on the last page. */
    next: z.string().nullable(),
  });

export const productSchema = z
  .object({
    id,
    name,
    unit: z.enum(QUANTITY_UNITS),
    /** Nominal mass of one piece; null for bulk products. */
    pieceMassMg: z
      .int('expected a whole number of mg, or null for bulk products')
      .min(1)
      .nullable(),
  })
  .refine(({ unit, pieceMassMg }) => (unit === 'piece') === (pieceMassMg !== null), {
    path: ['pieceMassMg'],
    message: 'expected a mass for products counted in pieces, and null for bulk products',
  });
export const productChangeSchema = z.object({ name: name.optional() }).strict();

export const customerSchema = z.object({ id, name });
export const customerChangeSchema = z.object({ name: name.optional() }).strict();

/** Asking whether a zone is one takes as long as reading a row. */
const knownZones = new Set<string>();
/** More than there are; of their spellings, upper and lower case, there is no end. */
const MOST_ZONES = 1_000;
function isTimeZone(zone: string): boolean {
  if (knownZones.has(zone)) return true;
  // Offsets are zones to ECMAScript, but name no place: they know nothing of summer time.
  if (/^[+-]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone }).format(0);
  } catch {
    return false;
  }
  if (knownZones.size < MOST_ZONES) knownZones.add(zone);
  return true;
}
const timeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'expected an IANA time zone such as Europe/Berlin');
export const siteSchema = z.object({
  id,
  name,
  /** null for the supplier's own sites. */
  customerId: id.nullable(),
  timeZone,
});
export const siteChangeSchema = z
  .object({ name: name.optional(), timeZone: timeZone.optional() })
  .strict();

export const binSchema = z.object({
  id,
  name,
  siteId: id,
  capacityMg: mass.min(1),
  productId: id,
  tareMg: mass,
  /** Nominal mass of a piece as this bin has it: copied from the product unless given. */
  pieceMassMg: z.int().min(1).nullable(),
  /** Since when product, tare and piece mass are as they are. */
  since: time,
});
export const binCreateSchema = binSchema
  .omit({ since: true, pieceMassMg: true })
  .extend({
    tareMg: mass.default(0),
    pieceMassMg: z.int().min(1).optional(),
    /** From when on readings are understood so; earlier readings of the bin are quarantined. */
    since: time.default(0),
  })
  .strict();
/** A changed product, tare or piece mass holds from `since` on and restates what came after. */
export const binChangeSchema = z
  .object({
    name: name.optional(),
    capacityMg: mass.min(1).optional(),
    productId: id.optional(),
    tareMg: mass.optional(),
    pieceMassMg: z.int().min(1).optional(),
    /** Default: now. */
    since: time.optional(),
  })
  .strict();

/**
 * `ok`: a fresh, good reading; `late`: none for longer than it should take; `offline`: its agent
 * is; `faulty`: the scale reports something else than good; `silent`: never heard of.
 */
export const HEALTHS = ['ok', 'late', 'offline', 'faulty', 'silent'] as const;
export type Health = (typeof HEALTHS)[number];

export const stockSchema = z.object({
  binId: id,
  binName: z.string(),
  siteId: id,
  customerId: id.nullable(),
  productId: id,
  productName: z.string(),
  unit: z.enum(QUANTITY_UNITS),
  /** null where nothing good was ever measured. */
  quantity: z.int().nullable(),
  massMg: z.int().nullable(),
  capacityMg: z.int(),
  /** Newest reading, whatever its quality, and how long ago it was taken. */
  readAt: time.nullable(),
  ageMs: z.int().nullable(),
  quality: z.enum(QUALITIES).nullable(),
  health: z.enum(HEALTHS),
  /**
   * While an agent sends a backlog: a reading newer than `readAt`, sent ahead. It is shown and not
   * counted yet, by the nominal mass of a piece; `quantity` and all else here are without it. null
   * where nothing is ahead.
   */
  live: z
    .object({
      quantity: z.int().nullable(),
      massMg: z.int().nullable(),
      readAt: time,
      ageMs: z.int(),
      quality: z.enum(QUALITIES),
    })
    .nullable(),
});

export const readingSchema = z.object({
  at: time,
  value: z.int().nullable(),
  unit: z.enum(READING_UNITS),
  samples: z.int(),
  spread: z.int(),
  quality: z.enum(QUALITIES),
  synced: z.boolean(),
});

/** What a bin held from when on. */
export const setupSchema = z.object({
  since: time,
  productId: id,
  tareMg: mass,
  pieceMassMg: z.int().min(1).nullable(),
});

export const movementSchema = z.object({
  binId: id,
  ordinal: z.int(),
  productId: id,
  from: time,
  at: time,
  kind: z.enum(MOVEMENT_KINDS),
  quantity: z.int(),
  low: z.int(),
  high: z.int(),
  massMg: z.int(),
  confidencePpm: z.int(),
  closing: z.int(),
});

/** A stretch that was not measured, or whose readings were dropped, thinned or lost, and why. */
export const gapSchema = z.object({
  binId: id,
  /** 1, 2, 3 … per bin, by start. */
  ordinal: z.int(),
  from: time,
  to: time,
  /** Readings dropped; 0 where none were taken or nobody knows. */
  count: z.int(),
  why: z.enum(GAP_CAUSES),
});

/** Of readings by when they were taken, and of movements by when they were seen; oldest first. */
export const historyQuerySchema = pageQuerySchema.extend({
  /** Start, inclusive, and end, exclusive. Default: from the first to the newest. */
  from: instant.default(0),
  to: instant.default(LAST_MS),
});

export const recomputeQuerySchema = z.object({
  /** `true`: a ledger that differs is restated, with the cause `recomputed`. */
  repair: z.enum(['true', 'false']).default('false'),
});
/** The ledger as it was written beside what all stored readings say. */
export const recomputedSchema = z.object({
  binId: id,
  equal: z.boolean(),
  written: z.string(),
  told: z.string(),
  movements: z.int(),
});

export const CONSUMPTION_GROUPS = ['bin', 'site', 'customer', 'product', 'total'] as const;
export const CONSUMPTION_STEPS = ['total', 'day', 'hour', 'quarter-hour'] as const;
export const consumptionQuerySchema = z.object({
  /** Start, inclusive, and end, exclusive. Default: the last 24 hours. */
  from: instant.optional(),
  to: instant.optional(),
  by: z.enum(CONSUMPTION_GROUPS).default('total'),
  step: z.enum(CONSUMPTION_STEPS).default('total'),
  /** Whose midnight days begin at; hours too. */
  timeZone: timeZone.default('UTC'),
  customerId: id.optional(),
  siteId: id.optional(),
  productId: id.optional(),
  binId: id.optional(),
  /** Also the supplier's own sites, whose outflow is shipping rather than consumption. */
  own: z.enum(['exclude', 'include', 'only']).default('exclude'),
});
/** One row a group, product unit and step. Pieces and bulk are never added up. */
export const consumptionRowSchema = z.object({
  /**
   * Id of the bin, site, customer or product; `total` for the total, and `_own` by customer for
   * the supplier's own sites.
   */
  key: z.string(),
  unit: z.enum(QUANTITY_UNITS),
  from: time,
  to: time,
  consumed: z.int(),
  /** Bounds of `consumed`: apart where gaps let only the net be seen. */
  consumedLow: z.int(),
  consumedHigh: z.int(),
  refilled: z.int(),
  unexplained: z.int(),
  adjusted: z.int(),
  exposureMs: z.int(),
  /** Consumed per day of exposure, summed over the group's bins; null without exposure. */
  perDay: z.number().nullable(),
});
export const consumptionSchema = z.object({
  from: time,
  to: time,
  rows: z.array(consumptionRowSchema),
  /** Bins whose figures are not up to date, since their source is not healthy. */
  stale: z.array(id),
});

/**
 * `local`: nothing was ever set from afar; `waiting`: the agent has not seen the newest version
 * yet; `trial`, `applied`, `refused`, `rolled-back`: what it says of the newest; `ahead`: it has
 * seen one that is not known here, as after a restored backup.
 */
const configurationState = z.enum(CONFIGURATION_STATES);

export const agentSchema = z.object({
  id,
  siteId: id,
  online: z.boolean(),
  /** Since when it is shut out; null where it is not. */
  disabledAt: time.nullable(),
  /** When its state was last reported; null before the first time. */
  seenAt: time.nullable(),
  version: z.string().nullable(),
  /** Readings in its outbox as it last said. */
  backlog: z.int().nullable(),
  receivedBatches: z.int(),
  lastBatchAt: time.nullable(),
  devices: z.array(
    z.object({
      bin: z.string(),
      link: z.string(),
      ok: z.boolean(),
      fault: z.string().optional(),
    }),
  ),
  configuration: z.object({
    state: configurationState,
    /** The newest version wanted; 0 for none. */
    desired: z.int().min(0),
    /** The version in force; 0 for the agent's local file alone. */
    inForce: z.int().min(0),
    /** When the agent last said something of it; null before the first time. */
    reportedAt: time.nullable(),
  }),
  /** What is wrong with the agent itself, e.g. a disk that cannot be written. */
  alarms: z.array(z.string()),
});

const version = z.int().min(1);
const note = z
  .string()
  .max(500)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'expected a text without control characters');

/** What was wanted of an agent's configuration, by whom, when and why. */
export const configurationVersionSchema = z.object({
  version,
  /** Sections in place of those of the agent's local file; empty for the local file alone. */
  config: z.record(z.string(), z.unknown()),
  at: time,
  /** Name of the key it was sent with. */
  author: z.string(),
  note: z.string(),
});
export const configurationSchema = z.object({
  agentId: id,
  state: configurationState,
  /** The state in plain words. */
  says: z.string(),
  /** Whether the newest version is in force and proved, or nothing was ever wanted. */
  agrees: z.boolean(),
  /** The newest version; null where none was ever wanted. */
  desired: configurationVersionSchema.nullable(),
  /** The version in force as the agent last said; null for its local file, which stays with it. */
  inForce: configurationVersionSchema.nullable(),
  /** What the agent last said; null before the first time. */
  reported: z
    .object({
      /** What it is about: the newest version seen; 0 where its number could not be read. */
      version: z.int().min(0),
      state: z.enum(CONFIG_STATES),
      inForce: z.int().min(0),
      /** By the agent's clock. */
      at: time,
      receivedAt: time,
      reason: z.string().nullable(),
      problems: z.array(z.object({ key: z.string(), expected: z.string() })),
    })
    .nullable(),
});
/** The newest version that the change rests on; 0 for none. */
const expectedVersion = z.int('expected the version that you read: 0 where there is none').min(0);
export const configurationChangeSchema = z.strictObject({
  /** Sections as `agent.yaml` has them: broker, tls, log, report, uplink, links. */
  config: z.record(z.string(), z.unknown()),
  expectedVersion,
  note: note.default(''),
});
export const configurationRestoreSchema = configurationChangeSchema.omit({ config: true });

export const agentCreateSchema = z.object({ id, siteId: id }).strict();
/** The only time the secret is shown; it is the MQTT password, and the id is the user name. */
export const agentCreatedSchema = z.object({
  id,
  siteId: id,
  secret: z.string(),
  topicPrefix: z.string(),
});

/** The old secret ends at the first use of the new one, or now. */
export const secretRenewalSchema = z.strictObject({
  oldEnds: z.enum(['at-first-use', 'now']).default('at-first-use'),
});
/** The only time the new secret is shown. */
export const secretRenewedSchema = z.object({ id, secret: z.string() });
export const agentAccessSchema = z.strictObject({ disabled: z.boolean() });

/** A message or one of its rows that could not be taken. */
export const quarantineSchema = z.object({
  id: z.int(),
  agentId: z.string(),
  receivedAt: time,
  epoch: z.string().nullable(),
  seq: z.int().nullable(),
  /** Row of the batch; null for a whole message. */
  index: z.int().nullable(),
  reason: z.string(),
  /** What the reason is about, without its names and figures. */
  kind: z.string(),
  /** As it came, base64. */
  payload: z.string(),
  /** How often the same came. */
  times: z.int(),
});

export const quarantineQuerySchema = pageQuerySchema.extend({ agentId: id.optional() });
/** What is kept of an agent's by kind of reason, and what had to leave for want of room. */
export const quarantineKindSchema = z.object({
  agentId: z.string(),
  kind: z.string(),
  kept: z.int(),
  keptBytes: z.int(),
  dropped: z.int(),
  droppedBytes: z.int(),
  /** When the oldest and the newest of the dropped were received; null where none was. */
  droppedFrom: time.nullable(),
  droppedTo: time.nullable(),
});
export const replaySchema = z.strictObject({
  /** Only what came from this agent. */
  agentId: id.optional(),
  /** Read on after this id: the `next` of the answer before. */
  after: z.int().min(0).default(0),
  limit: z.int().min(1).max(1_000).default(100),
});
/** `refused` and `partly` stay in quarantine, with today's reason. */
export const replayedSchema = z.object({
  id: z.int(),
  agentId: z.string(),
  outcome: z.enum(['taken', 'partly', 'refused']),
  /** Readings stored now, and such as were stored before. */
  stored: z.int(),
  duplicates: z.int(),
  reason: z.string().nullable(),
});
export const replayedPageSchema = z.object({
  items: z.array(replayedSchema),
  /** Give it as `after` to go on; null where all were tried. */
  next: z.int().nullable(),
});

export const keySchema = z.object({
  id,
  name,
  role: z.enum(ROLES),
  customerId: id.nullable(),
  createdAt: time,
  revokedAt: time.nullable(),
});
export const keyCreateSchema = z
  .object({ name, role: z.enum(ROLES), customerId: id.nullable().default(null) })
  .strict()
  .refine(({ role, customerId }) => (role === 'customer') === (customerId !== null), {
    path: ['customerId'],
    message: 'expected the customer of a customer key, and none for other roles',
  });
/** `key` is shown this once; send it as `Authorization: Bearer …`. */
export const keyCreatedSchema = keySchema.extend({ key: z.string() });

export const meSchema = z.object({
  role: z.enum(ROLES),
  customerId: id.nullable(),
  name,
  serverTime: time,
});

/** What `GET /events` (SSE) sends: `stock` with a stockSchema, `agent` with an agentSchema. */
export const EVENT_KINDS = ['stock', 'agent'] as const;

export type Product = z.infer<typeof productSchema>;
export type Customer = z.infer<typeof customerSchema>;
export type Site = z.infer<typeof siteSchema>;
export type Bin = z.infer<typeof binSchema>;
export type StockView = z.infer<typeof stockSchema>;
export type ReadingView = z.infer<typeof readingSchema>;
export type Setup = z.infer<typeof setupSchema>;
export type MovementView = z.infer<typeof movementSchema>;
export type ConsumptionQuery = z.infer<typeof consumptionQuerySchema>;
export type ConsumptionRow = z.infer<typeof consumptionRowSchema>;
export type Consumption = z.infer<typeof consumptionSchema>;
export type ConfigurationVersion = z.infer<typeof configurationVersionSchema>;
export type Configuration = z.infer<typeof configurationSchema>;
export type AgentView = z.infer<typeof agentSchema>;
export type Me = z.infer<typeof meSchema>;
export type Problem = z.infer<typeof problemSchema>;
