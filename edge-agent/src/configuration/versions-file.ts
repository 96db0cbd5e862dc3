import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure, messageOf } from '#shared/failure.ts';
import { desiredConfigSchema, reportedConfigSchema } from '#shared/wire/config.ts';
import { NO_VERSIONS, type ConfigVersions } from '../core/config-versions.ts';

const NAME = 'remote-config.json';

const version = desiredConfigSchema.extend({ at: z.int().min(1) }).nullable();
const versionsSchema: z.ZodType<ConfigVersions> = z.object({
  applied: version,
  trial: version,
  verdict: reportedConfigSchema
    .omit({ inForce: true })
    .extend({ state: z.enum(['refused', 'rolled-back']) })
    .nullable(),
});

/** Without a sum, a flipped bit in an address would be read as another address. */
const fileSchema = z.object({ sha256: z.string(), versions: z.json() });

interface ReadVersions {
  readonly versions: ConfigVersions;
  /** Why the file could not be used, and where it now lies; the versions are then none. */
  readonly damage: { readonly why: string; readonly setAside: string | null } | null;
}

/** `remote-config.json` in `dataDir`, beside the outbox and never in it. */
export class VersionsFile {
  readonly #folder: string;
  readonly #path: string;

  constructor(dataDir: string) {
    this.#folder = dataDir;
    this.#path = join(dataDir, NAME);
  }

  /**
   * Never throws: without this file there is always the local one.
   * @param stamp part of the name of a damaged file that is set aside
   */
  read(stamp: string): ReadVersions {
    try {
      return { versions: decode(readFileSync(this.#path, 'utf8')), damage: null };
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (isMissing) return { versions: NO_VERSIONS, damage: null };
      const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
      return { versions: NO_VERSIONS, damage: { why, setAside: this.#setAside(stamp) } };
    }
  }

  /**
   * By temporary file, fsync and rename: a kill at any instant leaves the old file or the new one.
   * @throws Failure `remote-config-unwritable`
   */
  write(versions: ConfigVersions): void {
    try {
      const temporary = `${this.#path}.new`;
      writeFileSync(temporary, encode(versions), { mode: 0o600, flush: true });
      renameSync(temporary, this.#path);
      this.#sync();
    } catch (cause) {
      const message = `${this.#path} cannot be written: ${messageOf(cause)}`;
      throw new Failure('remote-config-unwritable', message, { retry: 'later', cause });
    }
  }

  /** Makes the rename last. */
  #sync(): void {
    const folder = openSync(this.#folder, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  /** @returns its new name; null where it cannot be moved, and is found damaged again next time */
  #setAside(stamp: string): string | null {
    const aside = `${this.#path}.corrupt-${stamp}`;
    try {
      renameSync(this.#path, aside);
      return aside;
    } catch {
      return null;
    }
  }
}

const sumOf = (versions: unknown): string =>
  createHash('sha256').update(JSON.stringify(versions)).digest('hex');

const encode = (versions: ConfigVersions): string =>
  `${JSON.stringify({ sha256: sumOf(versions), versions })}\n`;

function decode(text: string): ConfigVersions {
  const { sha256, versions } = fileSchema.parse(JSON.parse(text));
  if (sumOf(versions) !== sha256) throw new Error('its checksum does not fit');
  return versionsSchema.parse(versions);
}
