import { z } from 'zod';
import { FAULT_KIND_NAMES, isPossible, type FaultRule, type Framing } from '../core/faults.ts';

/** A device that is defective: the usual answer of one that cannot weigh (V1.1b3, clause 7). */
const DEVICE_FAILURE = 0x04;
const HIGHEST_EXCEPTION = 0x7f;

/** One fault of a scenario or of the panel. */
export const faultRule = z.strictObject({
  kind: z.enum(FAULT_KIND_NAMES),
  probability: z.number().gt(0).max(1).default(1),
  count: z.int().min(1).optional(),
  afterS: z.number().min(0).default(0),
  durationS: z.number().positive().optional(),
  code: z.int().min(1).max(HIGHEST_EXCEPTION).default(DEVICE_FAILURE),
  connections: z.int().min(1).max(100).default(1),
});

/** `faults:` of a link or a scale. */
export const faultRules = z.array(faultRule).default([]);

/** How the answers of a protocol are framed. */
export function framingOf(protocol: string): Framing {
  if (protocol === 'modbus-tcp') return 'mbap';
  return protocol === 'modbus-rtu' ? 'rtu' : 'ascii';
}

/** @returns the places of rules that cannot happen on a link of this protocol */
export function impossibleRules(protocol: string, rules: readonly FaultRule[]): number[] {
  const framing = framingOf(protocol);
  return rules.flatMap(({ kind }, place) => (isPossible(kind, framing) ? [] : [place]));
}

/** The kinds that can happen on a link of this protocol. */
export function possibleKinds(protocol: string): string[] {
  const framing = framingOf(protocol);
  return FAULT_KIND_NAMES.filter((kind) => isPossible(kind, framing));
}
