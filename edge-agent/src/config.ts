import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { parseConfig } from '#shared/config-file.ts';
import { Failure, messageOf } from '#shared/failure.ts';
import { agentId } from '#shared/ids.ts';
import { LOG_LEVELS } from '#shared/log.ts';
import { MAX_READINGS_PER_BATCH } from '#shared/wire/batch.ts';
import { clockSchema } from './clock/section.ts';
import { outboxSchema } from './outbox/quota.ts';
import { asciiLinks } from './scale/ascii-config.ts';
import { hostAndPort, id, link, scale, serial, serialPath } from './scale/link-config.ts';
import { PROFILE_NAMES } from './scale/profile.ts';
import { absoluteTls, tlsSchema } from './tls.ts';

/** Device addresses that a Modbus serial line has; 0 is a broadcast and answers nothing. */
const HIGHEST_UNIT = 247;

const modbusScale = z.strictObject({
  ...scale,
  unit: z.int().min(1).max(HIGHEST_UNIT),
  profile: z.enum(PROFILE_NAMES),
  countMg: z.int().min(1),
});
const modbusScales = z.array(modbusScale).min(1);

const PROTOCOLS = [
  'modbus-tcp',
  'modbus-rtu-over-tcp',
  'modbus-rtu',
  ...asciiLinks.map(({ shape }) => shape.protocol.value),
];

const linkSchema = z.discriminatedUnion(
  'protocol',
  [
    z.strictObject({
      ...link,
      protocol: z.enum(['modbus-tcp', 'modbus-rtu-over-tcp']),
      address: hostAndPort,
      scales: modbusScales,
    }),
    z.strictObject({
      ...link,
      protocol: z.literal('modbus-rtu'),
      address: serialPath,
      serial: serial.prefault({}),
      scales: modbusScales,
    }),
    ...asciiLinks,
  ],
  { error: `one of ${PROTOCOLS.join(', ')}` },
);

const configSchema = z
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
    links: z.array(linkSchema).min(1),
  })
  // Also where other faults stand: all are said at once.
  .superRefine(uniqueNames, { when: () => true })
  .superRefine(provable, { when: () => true });

export type AgentConfig = z.output<typeof configSchema>;
export type LinkConfig = AgentConfig['links'][number];
export type ScaleConfig = LinkConfig['scales'][number];

/** What is known of how the agent proves who it is, in a configuration that may have faults. */
const proof = z
  .object({
    agent: z.object({ secret: z.unknown() }).catch({ secret: undefined }),
    broker: z.string().catch(''),
    tls: z.object({ cert: z.unknown() }).optional().catch(undefined),
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
const scaleNames = z.object({ bin: z.unknown() }).catch({ bin: undefined });
const linkNames = z
  .object({ name: z.unknown(), scales: z.array(scaleNames).catch([]) })
  .catch({ name: undefined, scales: [] });
const names = z.object({ links: z.array(linkNames).catch([]) }).catch({ links: [] });

/** A second use of a bin or of a link's name is a fault of its own line. */
function uniqueNames(config: unknown, context: z.RefinementCtx): void {
  const links = new Set<unknown>();
  const bins = new Set<unknown>();
  for (const [place, { name, scales }] of names.parse(config).links.entries()) {
    if (links.has(name) && name !== undefined) {
      const path = ['links', place, 'name'];
      context.addIssue({ code: 'custom', path, message: 'a name no other link has' });
    }
    links.add(name);
    for (const [index, { bin }] of scales.entries()) {
      if (bins.has(bin) && bin !== undefined) {
        const path = ['links', place, 'scales', index, 'bin'];
        context.addIssue({ code: 'custom', path, message: 'a bin no other scale has' });
      }
      bins.add(bin);
    }
  }
}

/**
 * @returns the configuration, its paths absolute
 * @throws ConfigError with every fault; Failure where the file cannot be read
 */
export function readConfig(file: string): AgentConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const message = `cannot read the configuration: ${messageOf(error)}`;
    throw new Failure('config-unreadable', message, { retry: 'never', cause: error });
  }
  const config = parseConfig(file, text, configSchema);
  const folder = dirname(file);
  const { dataDir, tls, ...rest } = config;
  const paths = tls === undefined ? {} : { tls: absoluteTls(tls, folder) };
  return { ...rest, ...paths, dataDir: resolve(folder, dataDir) };
}
