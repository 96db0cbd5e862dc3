import { SECOND_MS } from '#shared/units.ts';
import { keyOf, uniformAt } from './random.ts';

/** How the answers of a link are framed: what can go wrong with them depends on it. */
export type Framing = 'mbap' | 'rtu' | 'ascii';

const ANY: readonly Framing[] = ['mbap', 'rtu', 'ascii'];
const MODBUS: readonly Framing[] = ['mbap', 'rtu'];

/** Everything that the users of other agents complained of, and on which framings it can happen. */
export const FAULT_KINDS = {
  /** The answer is lost. */
  'no-answer': ANY,
  /** It comes when the next request has been received, before that one's own answer. */
  'late-answer': ANY,
  /** It comes in one piece with the next one. */
  merged: ANY,
  /** It ends early, anywhere. */
  truncated: ANY,
  'garbage-before': ANY,
  'garbage-after': ANY,
  /** Its bytes come one by one. */
  'slow-bytes': ANY,
  /** Line noise; with ASCII protocols nothing but the text itself can give it away. */
  'flipped-bits': ['rtu', 'ascii'],
  'wrong-crc': ['rtu'],
  'wrong-transaction': ['mbap'],
  /** The MBAP header promises fewer or more bytes than follow, or impossibly many. */
  'bad-length': ['mbap'],
  /** The frame is intact, but from another unit. */
  'wrong-unit': MODBUS,
  /** The frame is intact, but counts other bytes than it has. */
  'wrong-byte-count': MODBUS,
  /** Exception `code` in place of the values. */
  exception: MODBUS,
  /** TCP RST in place of an answer. */
  reset: ANY,
  /** Connections are accepted and never answered. */
  'half-open': ANY,
  /** Nothing gets through: every connection is reset as soon as it stands. */
  refuse: ANY,
  /** As a gateway with few places: one connection more than `connections` is reset. */
  'max-connections': ANY,
  /** The indicator hangs and goes on showing what it showed. */
  stuck: ANY,
} as const satisfies Record<string, readonly Framing[]>;

export type FaultKind = keyof typeof FAULT_KINDS;
export const FAULT_KIND_NAMES = Object.keys(FAULT_KINDS) as FaultKind[];

/** Faults of the line as a whole; all others befall single answers or a device. */
const LINE_KINDS = ['half-open', 'refuse', 'max-connections'] as const;
export type LineFaultKind = (typeof LINE_KINDS)[number];

export function isLineFault(kind: FaultKind): kind is LineFaultKind {
  return (LINE_KINDS as readonly FaultKind[]).includes(kind);
}

export function isPossible(kind: FaultKind, framing: Framing): boolean {
  return (FAULT_KINDS[kind] as readonly Framing[]).includes(framing);
}

/** What is to go wrong, and when. */
export interface FaultRule {
  readonly kind: FaultKind;
  /** Of each answer, or each connection. */
  readonly probability: number;
  /** How often at most; absent: without end. */
  readonly count?: number | undefined;
  /** From when the link opened, or the rule was made. */
  readonly afterS: number;
  /** Absent: for ever. */
  readonly durationS?: number | undefined;
  /** Of `exception`. */
  readonly code: number;
  /** Of `max-connections`. */
  readonly connections: number;
}

/** A rule's state: how long it is there and what it has done. */
export interface RuleState {
  readonly elapsedMs: number;
  readonly injected: number;
}

export function isActive(rule: FaultRule, { elapsedMs, injected }: RuleState): boolean {
  const sinceMs = elapsedMs - rule.afterS * SECOND_MS;
  return (
    sinceMs >= 0 &&
    sinceMs < (rule.durationS ?? Infinity) * SECOND_MS &&
    injected < (rule.count ?? Infinity)
  );
}

/** The key of a rule's draws: of the same scenario always the same. */
export function ruleKey(seed: number, device: string, rule: number): number {
  return keyOf(seed, device, 'fault', String(rule));
}

/** @param request number of the device's answers before this one: so a run can be repeated */
export function isDrawn(rule: FaultRule, key: number, request: number): boolean {
  return uniformAt(key, request) < rule.probability;
}
