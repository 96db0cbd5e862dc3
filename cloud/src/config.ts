import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { parseConfig } from '#shared/config-file.ts';
import { Failure, messageOf } from '#shared/failure.ts';
import { LOG_LEVELS } from '#shared/log.ts';

const listener = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(1).max(65_535),
});

const brokerListener = listener.extend({
  tls: z
    .strictObject({
      cert: z.string().min(1),
      key: z.string().min(1),
      ca: z.string().min(1).optional(),
    })
    .optional(),
});

/** See cloud/cloud.example.yaml for what each key means. */
const configSchema = z.strictObject({
  profile: z.enum(['embedded']),
  dataDir: z.string().min(1),
  http: listener.prefault({ port: 8_080 }),
  broker: brokerListener.prefault({ port: 1_883 }),
  log: z.enum(LOG_LEVELS).default('info'),
});

export type Config = z.infer<typeof configSchema>;

/**
 * @returns the file's configuration, with paths relative to the file's folder made absolute
 * @throws ConfigError with all its faults; Failure `file` where it cannot be read
 */
export function loadConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Failure('file', `${file}: ${messageOf(cause)}`, { retry: 'never', cause });
  }
  const config = parseConfig(file, text, configSchema);
  const absolute = (path: string): string => resolve(dirname(file), path);
  const { tls, ...address } = config.broker;
  const broker = {
    ...address,
    ...(tls !== undefined && {
      tls: {
        cert: absolute(tls.cert),
        key: absolute(tls.key),
        ...(tls.ca !== undefined && { ca: absolute(tls.ca) }),
      },
    }),
  };
  return Object.freeze({ ...config, dataDir: absolute(config.dataDir), broker });
}
