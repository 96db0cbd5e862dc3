import type { AgentView } from '../../../src/http/contract.ts';

/** Never heard of and offline before faults of agents and scales, before what waits to be sent. */
function rank(agent: AgentView): number {
  if (!agent.online) return 0;
  if (agent.alarms.length > 0 || agent.devices.some(({ ok }) => !ok)) return 1;
  return 2;
}

export function troubleFirst(agents: readonly AgentView[]): AgentView[] {
  return [...agents].sort(
    (a, b) => rank(a) - rank(b) || (b.backlog ?? 0) - (a.backlog ?? 0) || a.id.localeCompare(b.id),
  );
}
