import type { z } from 'zod';
import type { Live } from '#shared/wire/live.ts';
import { decodeBatch } from '#shared/wire/batch.ts';
import { liveSchema } from '#shared/wire/live.ts';
import { reportedConfigSchema } from '#shared/wire/config.ts';
import { statusSchema } from '#shared/wire/status.ts';
import type { ConfigurationReport } from '../configuration/reports.ts';
import type { Arrival, Refused } from './core/draft.ts';
import type { StatusReport } from './status.ts';

export const INGEST_CHANNELS = ['readings', 'live', 'status', 'config/reported'] as const;

/** What came from the broker; who sent it is proved by its topic. */
export interface Message {
  readonly agent: string;
  readonly channel: (typeof INGEST_CHANNELS)[number];
  readonly payload: Uint8Array;
  readonly receivedMs: number;
}

/** A group of messages, read. */
export interface Group {
  readonly batches: readonly Arrival[];
  readonly statuses: readonly StatusReport[];
  readonly reports: readonly ConfigurationReport[];
  readonly unreadable: readonly Refused[];
}

export function readGroup(messages: readonly Message[]): Group {
  const batches: Arrival[] = [];
  const statuses: StatusReport[] = [];
  const reports: ConfigurationReport[] = [];
  const unreadable: Refused[] = [];
  for (const { agent, channel, payload, receivedMs } of messages) {
    if (channel === 'readings') {
      batches.push({ agent, receivedMs, payload, decoded: decodeBatch(payload) });
      continue;
    }
    const take = <T>(read: T | string, taken: (said: T) => void): void => {
      if (typeof read !== 'string') taken(read);
      else unreadable.push({ agent, receivedMs, reason: `${channel}: ${read}`, payload });
    };
    if (channel === 'status') {
      take(parse(payload, statusSchema), (status) => statuses.push({ agent, status }));
    } else if (channel === 'config/reported') {
      take(parse(payload, reportedConfigSchema), (report) => {
        reports.push({ agent, receivedMs, report });
      });
    } else take(readLive(payload), () => undefined);
  }
  return { batches, statuses, reports, unreadable };
}

/** Live readings wait for no commit, and are part of none; @returns why it is none of them */
export const readLive = (payload: Uint8Array): Live | string => parse(payload, liveSchema);

/** Messages that something is wrong with as a whole: to be set apart, so that the rest goes on. */
export function readNothing(messages: readonly Message[], reason: string): Group {
  const { batches, unreadable } = readGroup(messages);
  const others = messages.filter(({ channel }) => channel !== 'readings');
  return {
    batches: batches.map(({ decoded, ...arrival }) => {
      const header = decoded.ok ? decoded.batch : decoded.header;
      return { ...arrival, decoded: { ok: false, reason, ...(header && { header }) } };
    }),
    statuses: [],
    reports: [],
    unreadable: [
      ...unreadable,
      ...others.map(({ agent, receivedMs, payload }) => ({ agent, receivedMs, reason, payload })),
    ],
  };
}

/** @returns what the payload says, or why it says nothing */
function parse<T extends object>(payload: Uint8Array, schema: z.ZodType<T>): T | string {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return 'not JSON';
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? parsed.data : parsed.error.message;
}
