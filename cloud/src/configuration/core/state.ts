import type { ReportedConfig } from '#shared/wire/config.ts';

/**
 * Where an agent stands with what is wanted of it: `local`, nothing was ever wanted; `waiting`, it
 * has not seen the newest version yet; `ahead`, it has seen one that we do not know, as after our
 * database came from a backup; or what it says of the newest version.
 */
export const CONFIGURATION_STATES = [
  'local',
  'waiting',
  'trial',
  'applied',
  'refused',
  'rolled-back',
  'ahead',
] as const;
export type ConfigurationState = (typeof CONFIGURATION_STATES)[number];

type Said = Pick<ReportedConfig, 'version' | 'state' | 'inForce'>;

/** @param desired the newest version wanted; 0 where none ever was */
export function stateOf(desired: number, reported: Said | null): ConfigurationState {
  if (reported !== null && reported.version > desired) return 'ahead';
  if (desired === 0) return 'local';
  if (reported === null || reported.version < desired) return 'waiting';
  return reported.state;
}

/** The version after all that were wanted and seen: an agent passes over any that is not newer. */
export function nextVersion(desired: number, reported: Said | null): number {
  return Math.max(desired, reported?.version ?? 0) + 1;
}

/** The state in plain words, for people. */
export function wordsOf(desired: number, reported: Said | null): string {
  const inForce = reported?.inForce ?? 0;
  const runs = inForce === 0 ? 'its local file alone' : `version ${inForce}`;
  const seen = reported?.version ?? 0;
  const words: Readonly<Record<ConfigurationState, string>> = {
    local: 'Nothing is set from afar: the agent runs by its local file alone.',
    waiting: `Version ${desired} waits for the agent, which as far as is known runs by ${runs}.`,
    trial: `The agent tries version ${desired}, and keeps it or goes back by itself.`,
    applied: `Version ${desired} is in force and proved.`,
    refused: `The agent refused version ${desired} and runs by ${runs}.`,
    'rolled-back': `The agent tried version ${desired}, went back, and runs by ${runs}.`,
    ahead: `The agent has seen version ${seen}, which is not known here; what is wanted next becomes version ${seen + 1}.`,
  };
  return words[stateOf(desired, reported)];
}
