import { z } from 'zod';

/** Where systemd-timesyncd says that it has set the clock in this boot. */
export const TIMESYNCD_FILE = '/run/systemd/timesync/synchronized';

/** Section `clock` of agent.yaml: how the agent knows that the machine's clock is right. */
export const clockSchema = z
  .discriminatedUnion('source', [
    z.strictObject({ source: z.literal('system') }),
    z.strictObject({ source: z.literal('trusted') }),
    z.strictObject({
      source: z.literal('ntp-file'),
      file: z.string().startsWith('/', 'an absolute path').default(TIMESYNCD_FILE),
    }),
  ])
  .default({ source: 'system' });

export type ClockConfig = z.output<typeof clockSchema>;
