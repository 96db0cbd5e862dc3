import type { AgentView } from '../../../src/http/contract.ts';

/** States of a configuration that somebody has to look into. */
const UNWANTED: ReadonlySet<string> = new Set(['refused', 'rolled-back', 'ahead']);

/** Never heard of and offline before faults of agents and scales, before what waits to be sent. */
function rank(agent: AgentView): number {
  if (!agent.online) return 0;
  const { alarms, devices, configuration } = agent;
  const isUnwanted = UNWANTED.has(configuration.state);
  if (alarms.length > 0 || isUnwanted || devices.some(({ ok }) => !ok)) return 1;
  return 2;
}

export function troubleFirst(agents: readonly AgentView[]): AgentView[] {
  return [...agents].sort(
    (a, b) => rank(a) - rank(b) || (b.backlog ?? 0) - (a.backlog ?? 0) || a.id.localeCompare(b.id),
  );
}
