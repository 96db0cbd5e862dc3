import { z } from 'zod';
import { ConfigError } from '#shared/config-file.ts';
import { Failure } from '#shared/failure.ts';
import { spanOf, type RegisterProfile } from '#shared/profile.ts';
import { hostAndPort, link, place, scale, serial, serialPath } from './link-config.ts';
import { loadProfile } from './profile.ts';
import { sensor } from './sensor-config.ts';

const modbus = {
  ...link,
  /** Unwanted registers between two wanted ones that are read along to spare a request. */
  maxGap: z.int().min(0).max(120).default(0),
  /** Silence before every request beyond what the standard asks for, ms; learned where it is left out. */
  pauseMs: z.int().min(0).max(1_000).optional(),
  sensors: z.array(sensor).default([]),
};

/** @param folder what paths of profiles are relative to */
function scaleSchema(folder: string): z.ZodType<ModbusScaleConfig> {
  const known = new Map<string, RegisterProfile>();
  const profile = z.string().transform((name, context): RegisterProfile => {
    try {
      const loaded = known.get(name) ?? loadProfile(name, folder);
      known.set(name, loaded);
      return loaded;
    } catch (error) {
      if (!(error instanceof ConfigError) && !(error instanceof Failure)) throw error;
      const message =
        error instanceof ConfigError ? `a valid profile:\n${error.message}` : error.message;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
  });
  return z
    .strictObject({
      ...place,
      divisionMg: scale.divisionMg,
      profile,
      /** Mass of 1 in the register, where the profile does not say the unit. */
      countMg: z.int().min(1).optional(),
      /** Where the device gives less in one answer than its profile says. */
      maxRegisters: z.int().min(1).max(125).optional(),
    })
    .superRefine((config, context) => {
      const say = (key: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [key], message });
      const { unit, maxRegisters } = config.profile;
      if (unit === undefined && config.countMg === undefined) {
        say('countMg', 'the mass of 1 in the register, mg: this profile does not say it');
      }
      if (unit !== undefined && config.countMg !== undefined) {
        say('countMg', 'no such key with this profile, which says the unit itself');
      }
      const { count } = spanOf(config.profile);
      const most = config.maxRegisters ?? maxRegisters;
      if (count > most || most > maxRegisters) {
        say('maxRegisters', `${count} to ${maxRegisters}: weight and status come from one request`);
      }
    });
}

export interface ModbusScaleConfig {
  readonly bin: z.output<typeof scale.bin>;
  readonly unit: number;
  readonly pollMs: number;
  readonly divisionMg: number;
  readonly profile: RegisterProfile;
  readonly countMg?: number | undefined;
  readonly maxRegisters?: number | undefined;
}

function anyBin(
  {
    scales,
    sensors,
  }: { readonly scales: readonly unknown[]; readonly sensors: readonly unknown[] },
  context: z.RefinementCtx,
): void {
  if (scales.length + sensors.length > 0) return;
  context.addIssue({ code: 'custom', path: ['scales'], message: 'at least one scale or sensor' });
}

/** The links of Modbus, members of the union of all links. */
export function modbusLinks(folder: string) {
  const scales = z.array(scaleSchema(folder)).default([]);
  return [
    z
      .strictObject({
        ...modbus,
        protocol: z.enum(['modbus-tcp', 'modbus-rtu-over-tcp']),
        address: hostAndPort,
        scales,
      })
      .superRefine(anyBin),
    z
      .strictObject({
        ...modbus,
        protocol: z.literal('modbus-rtu'),
        address: serialPath,
        serial: serial.prefault({}),
        scales,
      })
      .superRefine(anyBin),
  ] as const;
}

export const MODBUS_PROTOCOLS = ['modbus-tcp', 'modbus-rtu-over-tcp', 'modbus-rtu'] as const;
