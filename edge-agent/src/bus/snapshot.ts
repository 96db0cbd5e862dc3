import type { Failure } from '#shared/failure.ts';
import type { BinId } from '#shared/ids.ts';
import type { Latency } from '../core/latency.ts';
import type { KeptPause } from './pause.ts';

/** What can go wrong with a request. */
export const ERROR_KINDS = ['silent', 'broken', 'busy', 'link'] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];
export type SlaveErrors = Record<ErrorKind, number>;

export const noErrors = (): SlaveErrors => ({ silent: 0, broken: 0, busy: 0, link: 0 });

/** `broken`: bytes that were no answer; `busy`: it or its gateway asked to be asked again. */
export function errorKindOf({ code, retry }: Failure): ErrorKind {
  if (code === 'link-down') return 'link';
  if (retry === 'now') return 'busy';
  return code === 'frame-broken' ? 'broken' : 'silent';
}

/** How a line is doing, since the agent started. */
export interface BusSnapshot<Scale> {
  readonly name: string;
  readonly isUp: boolean;
  /** Why it is down. */
  readonly fault: string | null;
  /** How often the line was opened. */
  readonly opened: number;
  /** The bus budget used: share of the last minute that requests took, 0 to 1. */
  readonly busyShare: number | null;
  /** Between opening the line and the first request. */
  readonly pauseAfterConnect: KeptPause | null;
  readonly slaves: readonly SlaveSnapshot<Scale>[];
}

export interface SlaveSnapshot<Scale> {
  readonly scale: Scale;
  /** `open`: it has been silent for long, and is only probed. */
  readonly breaker: 'closed' | 'open';
  /** When it is asked next. */
  readonly nextInMs: number;
  /** Of the latest answers; `null` before the first. */
  readonly latency: Latency | null;
  readonly reads: number;
  readonly errors: Readonly<SlaveErrors>;
  readonly lastError: string | null;
  /** Silence on the line before each request to it. */
  readonly pause: KeptPause | null;
}

/** Who a slave is. */
export interface SlaveName {
  /** Modbus unit id; `null` on a line without addresses. */
  readonly unit: number | null;
  readonly bins: readonly BinId[];
  /** What it is asked for, as learned: a request that it refused is split. */
  readonly requests?: readonly {
    readonly table: string;
    readonly first: number;
    readonly count: number;
  }[];
}

export interface LinkSnapshot extends Omit<BusSnapshot<unknown>, 'slaves'> {
  readonly protocol: string;
  readonly address: string;
  readonly slaves: readonly (SlaveName & Omit<SlaveSnapshot<unknown>, 'scale'>)[];
}

/** The snapshot of a line with the names of its slaves instead of themselves. */
export function linkSnapshot<Scale>(
  { slaves, ...bus }: BusSnapshot<Scale>,
  line: { readonly protocol: string; readonly address: string },
  nameOf: (scale: Scale) => SlaveName,
): LinkSnapshot {
  const named = slaves.map(({ scale, ...slave }) => ({ ...nameOf(scale), ...slave }));
  return { ...bus, ...line, slaves: named };
}
