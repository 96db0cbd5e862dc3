import type { AgentId } from '#shared/ids.ts';
import { AGENT_CHANNELS, CLOUD_CHANNELS, topicOf } from '#shared/wire/topics.ts';

/** What an agent may retain: states, of which only the newest counts. */
const RETAINED: ReadonlySet<string> = new Set(['status', 'config/reported']);

/**
 * Whether an agent may publish this, as a message or as its will: only on its own channels, so
 * that a message's topic proves who sent it.
 * QoS 2 is refused, since its handshakes would have to be remembered and receipts make it needless.
 */
export function mayPublish(
  agent: AgentId,
  packet: { readonly topic: string; readonly retain: boolean; readonly qos: number },
): boolean {
  const channel = AGENT_CHANNELS.find((name) => topicOf(agent, name) === packet.topic);
  return channel !== undefined && packet.qos < 2 && (!packet.retain || RETAINED.has(channel));
}

/** Whether an agent may subscribe to this filter; none with wildcards is among them. */
export function maySubscribe(agent: AgentId, filter: string): boolean {
  return CLOUD_CHANNELS.some((channel) => topicOf(agent, channel) === filter);
}

/** Whether somebody who reads along may subscribe to this filter: whatever agents and cloud say. */
export function mayReadAlong(filter: string): boolean {
  return filter.startsWith('offtake/v1/');
}
