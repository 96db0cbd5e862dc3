import { z } from 'zod';
import { hostAndPort, link, scale, serial, serialPath } from './link-config.ts';

/** The protocols have no addresses: one scale a line, by a serial port or a device server. */
const line = {
  ...link,
  address: z.union([hostAndPort, serialPath], { error: 'host:port, or the path of a serial port' }),
  serial: serial.optional(),
  scales: z.array(z.strictObject(scale)).length(1),
};

/** The links of the ASCII protocols, each a member of the union of all links. */
export const asciiLinks = [z.strictObject({ ...line, protocol: z.literal('mt-sics') })] as const;
