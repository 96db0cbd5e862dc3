import { z } from 'zod';
import { hostAndPort, link, scale, serial, serialPath } from './link-config.ts';

/** The protocols have no addresses: one scale a line, by a serial port or a device server. */
const line = {
  ...link,
  address: z.union([hostAndPort, serialPath], { error: 'host:port, or the path of a serial port' }),
  serial: serial.optional(),
  scales: z.array(z.strictObject(scale)).length(1),
};

/** Whether the scale sends by itself, or is asked. */
const mode = z.enum(['continuous', 'polled']).default('continuous');

/**
 * `marked`: only what the frame itself calls gross is taken. `locked`: whoever configures vouches
 * that nobody can tare this scale, so a frame that does not say shows gross.
 */
const tare = z.enum(['marked', 'locked']).default('marked');

/** The links of the ASCII protocols, each a member of the union of all links. */
export const asciiLinks = [
  z.strictObject({
    ...line,
    protocol: z.literal('mt-sics'),
    /** `asked`: the tare is asked for with every weight and added to it. */
    tare: z.enum(['asked', 'locked']).default('asked'),
  }),
  z.strictObject({
    ...line,
    protocol: z.literal('toledo'),
    /** Whether frames end with a checksum; `auto` finds out from the first frames. */
    checksum: z.enum(['auto', 'required', 'none']).default('auto'),
  }),
  z.strictObject({
    ...line,
    protocol: z.literal('a-and-d'),
    mode,
    /** What to ask with: balances know `Q` and `SI`, indicators `RW` and `RG` (always gross). */
    command: z.enum(['Q', 'SI', 'RW', 'RG']).default('Q'),
    tare,
  }),
  z.strictObject({
    ...line,
    protocol: z.literal('cas'),
    mode,
    /** Its number on the line: what it is asked with, and then the only one that is listened to. */
    device: z.int().min(0).max(31).default(1),
  }),
  z.strictObject({
    ...line,
    protocol: z.literal('ohaus'),
    mode,
    command: z.enum(['IP', 'P']).default('IP'),
    tare,
  }),
  z.strictObject({ ...line, protocol: z.literal('sbi'), mode, tare }),
] as const;

export type AsciiLink = z.output<(typeof asciiLinks)[number]>;

const PROTOCOLS: ReadonlySet<string> = new Set(asciiLinks.map(({ shape }) => shape.protocol.value));

export function isAscii<Link extends { readonly protocol: string }>(
  link: Link,
): link is Extract<Link, { protocol: AsciiLink['protocol'] }> {
  return PROTOCOLS.has(link.protocol);
}
