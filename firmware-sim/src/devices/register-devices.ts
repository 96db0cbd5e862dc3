import type { Indicator } from '../core/indicator.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';
import { dgtDevice } from './dini-argeo-dgt.ts';
import { genericFloat32Device, genericInt32Device } from './generic.ts';
import { laumasDevice } from './laumas-tlb.ts';
import { pt113Device } from './pt113.ts';
import type { RegisterModel } from './register-model.ts';
import { rinstrumDevice } from './rinstrum-c500.ts';
import { siwarexDevice } from './siwarex-wp251.ts';
import { tunaDevice } from './tuna-id551pn.ts';

export const REGISTER_PROFILES = [
  'laumas-tlb',
  'dini-argeo-dgt',
  'pt113',
  'rinstrum-c500',
  'tuna-id551pn',
  'siwarex-wp251',
  'generic-float32',
  'generic-int32',
] as const;
export type RegisterProfile = (typeof REGISTER_PROFILES)[number];

/** Profiles whose registers hold the number with its point, in units of `countMg`. */
export const FLOAT_PROFILES: ReadonlySet<RegisterProfile> = new Set([
  'tuna-id551pn',
  'siwarex-wp251',
  'generic-float32',
]);

/** An indicator's register map around the box beside the scale. */
export const REGISTER_DEVICES: Record<
  RegisterProfile,
  (indicator: Indicator, model: RegisterModel) => RegisterDevice
> = {
  'laumas-tlb': laumasDevice,
  'dini-argeo-dgt': dgtDevice,
  pt113: pt113Device,
  'rinstrum-c500': rinstrumDevice,
  'tuna-id551pn': tunaDevice,
  'siwarex-wp251': siwarexDevice,
  'generic-float32': genericFloat32Device,
  'generic-int32': genericInt32Device,
};
