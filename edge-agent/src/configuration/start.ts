import type { Clock } from '#shared/clock.ts';
import { Failure } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';
import type { AgentConfig, ConfigFile } from './config.ts';
import { interrupted, judged, type ConfigVersions, type Verdict } from '../core/config-versions.ts';
import { judgeSections } from './desired.ts';
import { VersionsFile } from './versions-file.ts';

/** What an agent starts from. */
export interface StartingConfig {
  readonly local: ConfigFile;
  readonly file: VersionsFile;
  readonly versions: ConfigVersions;
  /** Why the version that was applied is not followed; `null` where it is, or where none was. */
  readonly withdrawn: Verdict | null;
  /** What is in force. */
  readonly config: AgentConfig;
}

/**
 * The local file, and over it the version that was proved, with no broker at hand. A trial that was
 * cut off is rolled back. A version that does not go with the local file, which somebody has edited,
 * is withdrawn: kept, but not followed until they go together again.
 */
export function startingConfig(
  local: ConfigFile,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): StartingConfig {
  const at = Math.max(1, clock.wallMs());
  const file = new VersionsFile(local.config.dataDir);
  const versions = keptVersions(file, { at, log });
  const { applied } = versions;
  const unchanged = { local, file, versions, withdrawn: null };
  if (applied === null) return { ...unchanged, config: local.config };
  const judgement = judgeSections(applied.config, local);
  if (judgement.ok) return { ...unchanged, config: judgement.config };
  const { version } = applied;
  const { problems } = judgement;
  log.error({ version, problems }, 'configuration withdrawn: it does not go with the local file');
  const withdrawn: Verdict = {
    version,
    state: 'rolled-back',
    at,
    reason: `it no longer goes with the local file: ${judgement.reason}`,
    ...(problems !== undefined && { problems }),
  };
  return { ...unchanged, withdrawn, config: local.config };
}

function keptVersions(
  file: VersionsFile,
  { at, log }: { readonly at: number; readonly log: Log },
): ConfigVersions {
  const stamp = new Date(at).toISOString().replaceAll(/[:.]/g, '-');
  const { versions, damage } = file.read(stamp);
  if (damage !== null) {
    log.error(damage, 'the configuration from afar is damaged: the local file is in force');
    const reason = `its file was damaged: ${damage.why}`;
    return kept(file, judged(versions, { version: 0, state: 'rolled-back', at, reason }), log);
  }
  if (versions.trial === null) return versions;
  log.warn({ version: versions.trial.version }, 'configuration rolled back: its trial was cut off');
  return kept(file, interrupted(versions, at), log);
}

/** A disk that takes nothing now is no reason not to start: the next start comes to the same. */
function kept(file: VersionsFile, versions: ConfigVersions, log: Log): ConfigVersions {
  try {
    file.write(versions);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.error({ err: error }, 'what became of the configuration is not kept');
  }
  return versions;
}
