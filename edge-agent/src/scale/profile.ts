import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseConfig } from '#shared/config-file.ts';
import type { FaultQuality } from '../core/scale-read.ts';

/** Every profile is a file of this name in `profiles/`. */
export const PROFILE_NAMES = ['dini-argeo-dgt', 'generic-int32'] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** Registers of one read request of Modbus; the standard allows 125. */
const MOST_REGISTERS = 125;

const FAULTS = [
  'overload',
  'underload',
  'comm-error',
  'config-error',
  'stale',
] as const satisfies readonly FaultQuality[];

/** A bit of the status register, 0 the lowest; `inverted` where 0 means yes. */
const bit = z.strictObject({
  bit: z.int().min(0).max(15),
  inverted: z.boolean().default(false),
});

const profileSchema = z
  .strictObject({
    name: z.string(),
    /** Where the addresses come from: manual and page. */
    source: z.string(),
    table: z.enum(['holding', 'input']),
    /** Wire address (40001 and 30001 are 0); all of weight and status lies in this one request. */
    block: z.strictObject({
      address: z.int().min(0).max(65_535),
      registers: z.int().min(1).max(MOST_REGISTERS),
    }),
    gross: z.strictObject({
      address: z.int().min(0).max(65_535),
      type: z.enum(['int16', 'uint16', 'int32', 'uint32', 'float32']),
      /** Which word of two comes first. */
      wordOrder: z.enum(['high-first', 'low-first']).default('high-first'),
      /** Which byte of a word comes first; `big` is the standard. */
      byteOrder: z.enum(['big', 'little']).default('big'),
      /** The value is a magnitude, negative where this bit of the status is set. */
      negative: bit.optional(),
    }),
    status: z.strictObject({
      address: z.int().min(0).max(65_535),
      stable: bit,
      /** Judged in this order, before the weight is looked at. */
      faults: z.array(bit.extend({ quality: z.enum(FAULTS), why: z.string() })),
    }),
  })
  .superRefine((profile, context) => {
    const end = profile.block.address + profile.block.registers;
    for (const [key, registers] of [
      ['gross', widthOf(profile.gross.type)],
      ['status', 1],
    ] as const) {
      const { address } = profile[key];
      if (address >= profile.block.address && address + registers <= end) continue;
      context.addIssue({ code: 'custom', path: [key, 'address'], message: 'inside the block' });
    }
  });

/** How an indicator lays weight and status out in its registers: data, not code. */
export type RegisterProfile = z.output<typeof profileSchema>;
export type RegisterType = RegisterProfile['gross']['type'];

/** Registers that a value of this type takes. */
export function widthOf(type: RegisterType): 1 | 2 {
  return type === 'int16' || type === 'uint16' ? 1 : 2;
}

/** @throws ConfigError where the profile's file is not a valid one */
export function loadProfile(name: ProfileName): RegisterProfile {
  const file = join(import.meta.dirname, 'profiles', `${name}.yaml`);
  return parseConfig(file, readFileSync(file, 'utf8'), profileSchema);
}
