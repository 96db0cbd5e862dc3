import { z } from 'zod';
import { ConfigError } from '#shared/config-file.ts';
import { messageOf } from '#shared/failure.ts';
import {
  desiredConfigSchema,
  MAX_CONFIG_BYTES,
  REMOTE_SECTIONS,
  type DesiredConfig,
  type ReportedConfig,
} from '#shared/wire/config.ts';
import type { AgentConfig, ConfigFile } from './config.ts';

type Problems = NonNullable<ReportedConfig['problems']>;

/** Why a message or a configuration is refused. */
export interface Refusal {
  readonly ok: false;
  readonly reason: string;
  readonly problems?: Problems;
}

const versionSchema = z.object({ version: desiredConfigSchema.shape.version });

/** What a message says; with a refusal the version that it is about, 0 where it cannot be told. */
export type Parsed =
  ({ readonly ok: true } & DesiredConfig) | (Refusal & { readonly version: number });

/** A message of the topic `config`. */
export function parseDesired(payload: Uint8Array): Parsed {
  if (payload.length > MAX_CONFIG_BYTES) {
    return { ok: false, version: 0, reason: `larger than ${MAX_CONFIG_BYTES} bytes` };
  }
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (error) {
    return { ok: false, version: 0, reason: `not JSON: ${messageOf(error)}` };
  }
  const named = versionSchema.safeParse(content);
  if (!named.success) return { ok: false, version: 0, reason: 'no version: an integer from 1 on' };
  const { version } = named.data;
  try {
    const parsed = desiredConfigSchema.safeParse(content);
    if (parsed.success) return { ok: true, ...parsed.data };
  } catch (error) {
    // JSON nested so deep that checking it exhausts the stack.
    return { ok: false, version, reason: `cannot be checked: ${messageOf(error)}` };
  }
  const problems = [{ key: 'config', expected: 'an object of sections' }];
  return { ok: false, version, reason: 'no configuration', problems };
}

/** Judges sections together with the local file. @returns the whole, or all faults at once */
export function judgeSections(
  sections: DesiredConfig['config'],
  local: ConfigFile,
): { readonly ok: true; readonly config: AgentConfig } | Refusal {
  const remote = new Set<string>(REMOTE_SECTIONS);
  const foreign: Problems = Object.keys(sections)
    .filter((key) => !remote.has(key))
    .map((key) => ({ key, expected: `only ${REMOTE_SECTIONS.join(', ')} are set from afar` }));
  const own = Object.fromEntries(Object.entries(sections).filter(([key]) => remote.has(key)));
  try {
    const config = local.with(own);
    return foreign.length === 0 ? { ok: true, config } : refused(foreign);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return refused([...foreign, ...error.faults.map(({ key, expected }) => ({ key, expected }))]);
  }
}

const refused = (problems: Problems): Refusal => ({
  ok: false,
  reason: problems.length === 1 ? '1 fault' : `${problems.length} faults`,
  problems,
});
