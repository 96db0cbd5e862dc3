import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { Failure, messageOf } from '#shared/failure.ts';

const file = z.string().min(1);

/** `tls` of agent.yaml: PEM files, relative to it. */
export const tlsSchema = z
  .strictObject({
    /** Whom to believe instead of the authorities that come with Node. */
    ca: file.optional(),
    /** The agent's own certificate, whose CN is its id, and its key. */
    cert: file.optional(),
    key: file.optional(),
    /** What the broker's certificate must be made out to, where that is not the broker's host. */
    serverName: z.string().min(1).optional(),
  })
  .superRefine(({ cert, key }, context) => {
    const missing = cert === undefined ? 'cert' : 'key';
    if ((cert === undefined) !== (key === undefined)) {
      const message = 'a file: a certificate and its key come together';
      context.addIssue({ code: 'custom', path: [missing], message });
    }
  });

export type TlsConfig = z.output<typeof tlsSchema>;

export function absoluteTls(tls: TlsConfig, folder: string): TlsConfig {
  const { ca, cert, key, serverName } = tls;
  return {
    ...(ca !== undefined && { ca: resolve(folder, ca) }),
    ...(cert !== undefined && { cert: resolve(folder, cert) }),
    ...(key !== undefined && { key: resolve(folder, key) }),
    ...(serverName !== undefined && { serverName }),
  };
}

export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
}

/**
 * Read for every connection, so that a renewed certificate needs no restart.
 * @throws Failure `tls-unreadable`
 */
export function readTls({ ca, cert, key, serverName }: TlsConfig): TlsMaterial {
  return {
    ...(ca !== undefined && { ca: read('ca', ca) }),
    ...(cert !== undefined && { cert: read('cert', cert) }),
    ...(key !== undefined && { key: read('key', key) }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

function read(what: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const message = `tls.${what} cannot be read: ${messageOf(cause)}`;
    throw new Failure('tls-unreadable', message, { retry: 'later', cause });
  }
}
