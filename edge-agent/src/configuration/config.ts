import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { checkConfig, parseConfig } from '#shared/config-file.ts';
import { Failure, messageOf } from '#shared/failure.ts';
import { agentId, type BinId } from '#shared/ids.ts';
import { LOG_LEVELS } from '#shared/log.ts';
import type { ReadingUnit } from '#shared/units.ts';
import { MAX_READINGS_PER_BATCH } from '#shared/wire/batch.ts';
import { clockSchema } from '../clock/section.ts';
import { outboxSchema } from '../outbox/quota.ts';
import { asciiLinks } from '../scale/ascii-config.ts';
import { id } from '../scale/link-config.ts';
import { MODBUS_PROTOCOLS, modbusLinks } from '../scale/modbus-config.ts';
import { absoluteTls, tlsSchema } from '../uplink/tls.ts';

const PROTOCOLS = [...MODBUS_PROTOCOLS, ...asciiLinks.map(({ shape }) => shape.protocol.value)];

/** @param folder what paths of profiles are relative to */
const linkSchema = (folder: string) =>
  z.discriminatedUnion('protocol', [...modbusLinks(folder), ...asciiLinks], {
    error: `one of ${PROTOCOLS.join(', ')}`,
  });

const configSchema = (folder: string) =>
  z
    .strictObject({
      agent: z.strictObject({ id: id.transform(agentId), secret: z.string().min(1).optional() }),
      broker: z.url({ protocol: /^mqtts?$/, error: 'mqtt://host:port or mqtts://host:port' }),
      tls: tlsSchema.optional(),
      dataDir: z.string().min(1),
      log: z.enum(LOG_LEVELS).default('info'),
      report: z
        .strictObject({
          heartbeatS: z.int().min(1).max(86_400).default(600),
          minSamples: z.int().min(2).max(1_000).default(5),
        })
        .prefault({}),
      uplink: z
        .strictObject({
          batchReadings: z.int().min(1).max(Math.min(1_000, MAX_READINGS_PER_BATCH)).default(500),
          healthS: z.int().min(1).max(3_600).default(60),
        })
        .prefault({}),
      outbox: outboxSchema,
      clock: clockSchema,
      remote: z.strictObject({ trialS: z.int().min(1).max(3_600).default(60) }).prefault({}),
      links: z.array(linkSchema(folder)).min(1),
    })
    // Also where other faults stand: all are said at once.
    .superRefine(uniqueNames, { when: () => true })
    .superRefine(provable, { when: () => true });

export type AgentConfig = z.output<ReturnType<typeof configSchema>>;
export type LinkConfig = AgentConfig['links'][number];

/** What a reading of a bin is counted in, and the smallest step of it that is worth a reading. */
export interface BinConfig {
  readonly bin: BinId;
  readonly unit: ReadingUnit;
  readonly division: number;
}

/** Half a piece: a count that has changed by one has changed. */
const COUNT_DIVISION = 0.5;

export function binsOf(link: LinkConfig): BinConfig[] {
  const scales = link.scales.map(({ bin, divisionMg }): BinConfig => ({
    bin,
    unit: 'mg',
    division: divisionMg,
  }));
  if (!('sensors' in link)) return scales;
  const sensors = link.sensors.map((sensor): BinConfig => {
    const { bin } = sensor;
    if (sensor.kind === 'level') return { bin, unit: 'mg', division: sensor.divisionMg };
    if (sensor.kind === 'count') return { bin, unit: 'count', division: COUNT_DIVISION };
    return { bin, unit: 'permille', division: 1 };
  });
  return [...scales, ...sensors];
}

/** What is known of how the agent proves who it is, in a configuration that may have faults. */
const proof = z
  .object({
    agent: z.object({ secret: z.unknown() }).catch({ secret: undefined }),
    broker: z.string().catch(''),
    tls: z.object({ cert: z.unknown().optional() }).optional().catch(undefined),
  })
  .catch({ agent: { secret: undefined }, broker: '' });

/** An agent needs a secret or a certificate, and nothing of TLS may be set in vain. */
function provable(config: unknown, context: z.RefinementCtx): void {
  const { agent, broker, tls } = proof.parse(config);
  if (agent.secret === undefined && tls?.cert === undefined) {
    const message = 'a secret, or a client certificate in tls.cert';
    context.addIssue({ code: 'custom', path: ['agent', 'secret'], message });
  }
  if (tls !== undefined && broker.startsWith('mqtt:')) {
    context.addIssue({ code: 'custom', path: ['broker'], message: 'mqtts://…, since tls is set' });
  }
}

/** The names in a configuration that may have faults elsewhere. */
const scaleNames = z.object({ bin: z.unknown().optional() }).catch({ bin: undefined });
const linkNames = z
  .object({
    name: z.unknown().optional(),
    address: z.unknown().optional(),
    scales: z.array(scaleNames).catch([]),
    sensors: z.array(scaleNames).catch([]),
  })
  .catch({ name: undefined, address: undefined, scales: [], sensors: [] });
const names = z.object({ links: z.array(linkNames).catch([]) }).catch({ links: [] });

/** One address, however it is written; two names of one serial port are told by its lock. */
function lineOf(address: unknown): unknown {
  const [, host, port] = /^(.*):(\d+)$/.exec(typeof address === 'string' ? address : '') ?? [];
  return host === undefined ? address : `${host.toLowerCase()}:${Number(port)}`;
}

/** A second use of a bin, a link's name or its address is a fault of its own line. */
function uniqueNames(config: unknown, context: z.RefinementCtx): void {
  const seen = {
    names: new Set<unknown>(),
    addresses: new Set<unknown>(),
    bins: new Set<unknown>(),
  };
  const unique = (
    known: Set<unknown>,
    value: unknown,
    path: (string | number)[],
    message: string,
  ): void => {
    if (known.has(value)) context.addIssue({ code: 'custom', path, message });
    if (value !== undefined) known.add(value);
  };
  for (const [place, link] of names.parse(config).links.entries()) {
    const path = ['links', place];
    unique(seen.names, link.name, [...path, 'name'], 'a name no other link has');
    // One speaker a line; and gateways have as few as two connections.
    const message = 'an address no other link has: all its bins belong to one link';
    unique(seen.addresses, lineOf(link.address), [...path, 'address'], message);
    for (const key of ['scales', 'sensors'] as const) {
      for (const [index, { bin }] of link[key].entries()) {
        unique(seen.bins, bin, [...path, key, index, 'bin'], 'a bin no other scale has');
      }
    }
  }
}

/** The local file as it was when it was read, and what other sections make of it. */
export interface ConfigFile {
  /** Absolute: whoever asks for it may stand in another folder. */
  readonly path: string;
  readonly config: AgentConfig;
  /**
   * @param sections each stands in place of the file's own, as a whole
   * @throws ConfigError with every fault of both together
   */
  with(sections: Readonly<Record<string, unknown>>): AgentConfig;
}

/**
 * @returns the configuration, its paths absolute
 * @throws ConfigError with every fault; Failure where the file cannot be read
 */
export function readConfigFile(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const message = `cannot read the configuration: ${messageOf(error)}`;
    throw new Failure('config-unreadable', message, { retry: 'never', cause: error });
  }
  const folder = dirname(path);
  const config = absolute(parseConfig(path, text, configSchema(folder)), folder);
  const local = parse(text) as object;
  return {
    path: resolve(path),
    config,
    with: (sections) =>
      absolute(checkConfig(path, { ...local, ...sections }, configSchema(folder)), folder),
  };
}

/** As {@link readConfigFile}, where the file alone counts. */
export const readConfig = (path: string): AgentConfig => readConfigFile(path).config;

function absolute({ dataDir, tls, ...rest }: AgentConfig, folder: string): AgentConfig {
  const paths = tls === undefined ? {} : { tls: absoluteTls(tls, folder) };
  return { ...rest, ...paths, dataDir: resolve(folder, dataDir) };
}
