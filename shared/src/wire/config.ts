import { z } from 'zod';
import { ID_PATTERN } from '../ids.ts';
import { LOG_LEVELS } from '../log.ts';

/**
 * The sections of agent.yaml that may be set from afar; each replaces the one of the local file as
 * a whole. Who the agent is and where its store lies is never among them.
 */
export const REMOTE_SECTIONS = ['broker', 'tls', 'log', 'report', 'uplink', 'links'] as const;

/** The largest message on `config`, as UTF-8: room for more than 1,000 links. */
export const MAX_CONFIG_BYTES = 256 * 1_024;

const section = z.record(z.string(), z.json());
const scale = z.object({ bin: z.string().regex(ID_PATTERN, 'the id of a bin') }).catchall(z.json());

/** What can be judged without knowing the agent's version and its files; the agent judges the rest. */
export const remoteSectionsSchema = z.strictObject({
  broker: z
    .url({ protocol: /^mqtts?$/, error: 'mqtt://host:port or mqtts://host:port' })
    .optional(),
  tls: section.optional(),
  log: z.enum(LOG_LEVELS).optional(),
  report: section.optional(),
  uplink: section.optional(),
  links: z
    .array(
      z
        .object({
          name: z.string().regex(ID_PATTERN, 'a name of letters, digits, dot, dash or underscore'),
          protocol: z.string().min(1),
          address: z.string().min(1),
          scales: z.array(scale).optional(),
          sensors: z.array(scale).optional(),
        })
        .catchall(z.json()),
    )
    .min(1)
    .optional(),
} satisfies Record<(typeof REMOTE_SECTIONS)[number], z.ZodType>);
export type RemoteSections = z.infer<typeof remoteSectionsSchema>;

/**
 * Retained on `config`. Versions only ever grow: one that is not newer than the newest seen is
 * answered with the report and otherwise passed over. `config` is kept as it came, so that the agent
 * can name every fault of it; `{}` leaves the local file alone in force.
 */
export const desiredConfigSchema = z.object({
  version: z.int().min(1),
  config: z.record(z.string(), z.json()),
});
export type DesiredConfig = z.infer<typeof desiredConfigSchema>;

/**
 * `applied`: in force and proved; `trial`: in force for now; `refused`: not valid, never in force;
 * `rolled-back`: was in force and did not do, what was before is in force again.
 */
export const CONFIG_STATES = ['applied', 'trial', 'refused', 'rolled-back'] as const;

/** Retained on `config/reported`. */
export const reportedConfigSchema = z.object({
  /** What `state` is about: the newest version seen; 0 where its number could not be read. */
  version: z.int().min(0),
  state: z.enum(CONFIG_STATES),
  /** The version followed now, also for a trial; 0 where it is the local file alone. */
  inForce: z.int().min(0),
  /** Since when, by the device's clock, ms since 1970 UTC. */
  at: z.int().min(1),
  /** Why it was refused or rolled back, for people. */
  reason: z.string().optional(),
  /** What is wrong with it, by key, e.g. `links.0.address`. */
  problems: z.array(z.object({ key: z.string(), expected: z.string() })).optional(),
});
export type ReportedConfig = z.infer<typeof reportedConfigSchema>;
