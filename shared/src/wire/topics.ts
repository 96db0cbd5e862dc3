import type { AgentId } from '../ids.ts';

/** Agents are spread over this many shards, so that ingest workers can share them out. */
export const SHARDS = 64;

export const AGENT_CHANNELS = ['readings', 'live', 'status', 'config/reported'] as const;
export const CLOUD_CHANNELS = ['receipt', 'config'] as const;
export type AgentChannel = (typeof AGENT_CHANNELS)[number];
export type CloudChannel = (typeof CLOUD_CHANNELS)[number];

/** FNV-1a, 32 bit, of the id's UTF-8 bytes, modulo {@link SHARDS}; fixed for ever by the wire. */
export function shardOf(agent: AgentId): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(agent)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash % SHARDS;
}

/** `offtake/v1/{shard}/{agentId}`: all that an agent may publish or subscribe to lies below. */
export function topicPrefix(agent: AgentId): string {
  return `offtake/v1/${shardOf(agent)}/${agent}`;
}

export function topicOf(agent: AgentId, channel: AgentChannel | CloudChannel): string {
  return `${topicPrefix(agent)}/${channel}`;
}

const TOPIC = /^offtake\/v1\/(\d+)\/([^/]+)\/(.+)$/;

/** @returns the parts of a topic, or `undefined` where it is not one of ours */
export function parseTopic(
  topic: string,
): { shard: number; agent: string; channel: string } | undefined {
  const match = TOPIC.exec(topic);
  if (match === null) return undefined;
  const [, shard = '', agent = '', channel = ''] = match;
  return { shard: Number(shard), agent, channel };
}
