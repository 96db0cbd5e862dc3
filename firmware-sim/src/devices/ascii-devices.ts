import type { Indicator } from '../core/indicator.ts';
import { aAndDDevice, type A_AND_D_FORMATS } from './a-and-d.ts';
import type { AsciiDevice, AsciiModel } from './ascii.ts';
import { casDevice } from './cas.ts';
import { ohausDevice } from './ohaus.ts';
import { sbiDevice } from './sbi.ts';
import { toledoDevice } from './toledo.ts';

/** A protocol and what can be set of it, as in a scenario's link. */
export type AsciiProtocol =
  | { readonly protocol: 'toledo'; readonly checksum: boolean }
  | { readonly protocol: 'a-and-d'; readonly format: (typeof A_AND_D_FORMATS)[number] }
  | { readonly protocol: 'cas'; readonly deviceId: number }
  | { readonly protocol: 'ohaus' }
  | { readonly protocol: 'sbi'; readonly idCode: boolean };

export function asciiDevice(
  link: AsciiProtocol,
  model: AsciiModel,
  indicator: Indicator,
): AsciiDevice {
  if (link.protocol === 'toledo')
    return toledoDevice({ ...model, checksum: link.checksum }, indicator);
  if (link.protocol === 'a-and-d') return aAndDDevice({ ...model, format: link.format }, indicator);
  if (link.protocol === 'cas') return casDevice({ ...model, deviceId: link.deviceId }, indicator);
  if (link.protocol === 'ohaus') return ohausDevice(model, indicator);
  return sbiDevice({ ...model, idCode: link.idCode }, indicator);
}
