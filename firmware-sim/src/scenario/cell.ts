import { z } from 'zod';
import { DISPLAY_UNITS } from '../core/figures.ts';

const seconds = z.number().min(0).max(1e8);
/** One time or several, from the start of live readings; negative: in the history before it. */
const afterS = z
  .union([z.number(), z.array(z.number()).min(1)])
  .transform((times) => (typeof times === 'number' ? [times] : times))
  .optional();
const perDay = z.number().positive().max(100_000).optional();

/** When something happens that takes no time. */
export const moments = { afterS, perDay };
const oftenEnough = {
  error: 'afterS (seconds from the start of live readings) or perDay, so that it ever happens',
};
type Times = { afterS?: number[] | undefined; perDay?: number | undefined };
const hasTimes = ({ afterS: times, perDay: often }: Times): boolean =>
  times !== undefined || often !== undefined;

const happening = <Shape extends z.ZodRawShape>(durationS: number, shape: Shape) =>
  z
    .strictObject({ ...moments, durationS: seconds.default(durationS), ...shape })
    .refine((value) => hasTimes(value as Times), oftenEnough);

export const outage = happening(60, {});
const mass = z.number().positive();

/** What ails a scale's load cell and what people do to its indicator; see README, cell keys. */
export const cell = z.strictObject({
  creep: z
    .strictObject({
      part: z.number().min(0).max(100).default(0.7),
      tauS: z.number().positive().default(600),
    })
    .optional(),
  temperature: z
    .strictObject({
      swingC: z.number().min(0).max(50).default(5),
      zeroMgPerC: z.number().optional(),
      spanPpmPerC: z.number().default(10),
      warmestHourUtc: z.number().min(0).lt(24).default(14),
    })
    .optional(),
  settling: z
    .strictObject({
      pickMs: z.number().positive().default(500),
      refillMs: z.number().positive().default(3_000),
      periodMs: z.number().positive().default(700),
      ripple: z.number().min(0).max(1).default(0.3),
    })
    .optional(),
  vibration: z
    .strictObject({
      ...moments,
      durationS: seconds.default(60),
      amplitudeMg: mass.optional(),
      hertz: z.number().positive().default(7),
    })
    .optional(),
  leaning: happening(4, { massMg: z.number().default(20_000_000) }).optional(),
  overload: happening(30, { massMg: mass.optional() }).optional(),
  underload: happening(30, { massMg: mass.optional() }).optional(),
  disconnect: happening(60, {}).optional(),
  stuck: happening(300, {}).optional(),
  unit: happening(120, { to: z.enum(DISPLAY_UNITS).default('lb') }).optional(),
  zero: happening(10, {}).optional(),
  tare: happening(10, {}).optional(),
  clear: happening(10, {}).optional(),
});
