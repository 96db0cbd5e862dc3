import type { DesiredConfig, ReportedConfig } from '#shared/wire/config.ts';

/** Why a version is not in force, as it is told to the cloud. */
export type Verdict = Omit<ReportedConfig, 'inForce' | 'state'> & {
  readonly state: 'refused' | 'rolled-back';
};

/** What is kept of the configuration from afar: plain data, written as one. */
export interface ConfigVersions {
  /** Proved, and followed over the local file; `null` where none was. `at`: when it was proved. */
  readonly applied: (DesiredConfig & { readonly at: number }) | null;
  /** Being tried. Found at a start, its trial was cut off. */
  readonly trial: (DesiredConfig & { readonly at: number }) | null;
  /** On a version newer than `applied` that did not come into force. */
  readonly verdict: Verdict | null;
}

export const NO_VERSIONS: ConfigVersions = { applied: null, trial: null, verdict: null };

/** The newest version seen, whatever became of it; 0 before the first. */
export const newestOf = ({ applied, trial, verdict }: ConfigVersions): number =>
  Math.max(applied?.version ?? 0, trial?.version ?? 0, verdict?.version ?? 0);

export const tried = (
  versions: ConfigVersions,
  { version, config }: DesiredConfig,
  at: number,
): ConfigVersions => ({ ...versions, trial: { version, config, at } });

/** The trial did: its version is in force, and what was said of earlier ones is done with. */
export const proved = (versions: ConfigVersions, at: number): ConfigVersions =>
  versions.trial === null
    ? versions
    : { applied: { ...versions.trial, at }, trial: null, verdict: null };

/** A version was refused, or its trial failed. */
export const judged = (versions: ConfigVersions, verdict: Verdict): ConfigVersions => ({
  ...versions,
  trial: null,
  verdict,
});

/** At a start: whatever ended the agent in mid-trial counts against the version that was tried. */
export function interrupted(versions: ConfigVersions, at: number): ConfigVersions {
  const { trial } = versions;
  if (trial === null) return versions;
  const reason = 'the agent ended while this version was tried';
  return judged(versions, { version: trial.version, state: 'rolled-back', at, reason });
}

/**
 * What is to be told of it.
 * @param withdrawn why the version that was applied is not followed; `null` where it is
 * @returns null where no version was ever seen
 */
export function reportOf(
  { applied, trial, verdict }: ConfigVersions,
  withdrawn: Verdict | null,
): ReportedConfig | null {
  if (trial !== null) {
    const { version, at } = trial;
    return { version, state: 'trial', inForce: version, at };
  }
  const inForce = withdrawn === null ? (applied?.version ?? 0) : 0;
  if (verdict !== null) {
    if (withdrawn === null) return { ...verdict, inForce };
    const { reason = verdict.state } = verdict;
    const also = `version ${withdrawn.version} is not in force either: ${withdrawn.reason ?? ''}`;
    return { ...verdict, inForce, reason: `${reason}; ${also}` };
  }
  if (withdrawn !== null) return { ...withdrawn, inForce };
  if (applied === null) return null;
  const { version, at } = applied;
  return { version, state: 'applied', inForce, at };
}
