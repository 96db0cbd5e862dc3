import { casRequest } from '../../scale/cas.ts';
import { ASK_WEIGHT } from '../../scale/mt-sics-codec.ts';
import { SBI_PRINT } from '../../scale/sbi.ts';
import type { AsciiProtocol } from './ascii-guess.ts';
import type { EighthBit } from './eighth-bit.ts';

/** A request for one weight, which changes nothing on a scale, whatever it is. */
export interface AsciiRequest {
  readonly text: string;
  /** What its eighth bit is. */
  readonly use: EighthBit;
  /** Who answers to it, and what agent.yaml has to say so. */
  readonly of: Readonly<Partial<Record<AsciiProtocol, readonly string[]>>>;
}

const polled = (...keys: string[]): readonly string[] => ['mode: polled', ...keys];

/** Not Ohaus's `P`, which is the power key of A&D's balances (FX-i manual, list of commands). */
const REQUESTS: readonly Omit<AsciiRequest, 'use'>[] = [
  { text: ASK_WEIGHT, of: { 'mt-sics': [], 'a-and-d': polled('command: SI') } },
  { text: 'Q\r\n', of: { 'a-and-d': polled('command: Q') } },
  { text: 'RG\r\n', of: { 'a-and-d': polled('command: RG') } },
  { text: 'IP\r\n', of: { ohaus: polled('command: IP') } },
  { text: SBI_PRINT, of: { sbi: polled() } },
];

/** CAS's own numbers are 0 to 31. */
const MOST_CAS_DEVICES = 32;

/**
 * In the order in which they are tried. CAS's, a single byte in eight bits, comes last: others would
 * take it for the beginning of their next command.
 */
export function asciiRequests(
  devices: readonly number[],
  uses: readonly EighthBit[],
): readonly AsciiRequest[] {
  const cas = devices.filter((device) => device < MOST_CAS_DEVICES);
  return [
    ...uses.flatMap((use) => REQUESTS.map((request) => ({ ...request, use }))),
    ...cas.map((device): AsciiRequest => {
      const of = { cas: polled(`device: ${device}`) };
      return { text: casRequest(device), use: 'data', of };
    }),
  ];
}
