import type { Display } from '../core/indicator.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';
import { int32Words, readBlocks } from '../modbus/register-image.ts';

/** A sensor behind Modbus that is no scale, as in a scenario. */
export type SensorModel =
  | { readonly kind: 'count' }
  | { readonly kind: 'level' }
  | { readonly kind: 'presence'; readonly from: number };

/** What a sensor looks at. */
interface Seen {
  /** What lies in the bin: pieces or mg. */
  quantity(): number;
  /** The scale that could stand under the bin: it gives the level its noise and its faults. */
  display(): Display;
}

/** 4 to 20 mA in µA: empty and full. */
const EMPTY_UA = 4_000;
const FULL_UA = 20_000;
/** NAMUR NE 43: a broken wire is below 3.6 mA, a probe out of range up to 20.5 mA. */
const BROKEN_UA = 0;
const MOST_UA = 20_500;
const LEAST_UA = 3_800;

/**
 * Sensors, the same in input and holding registers. `count`: 30001–2 pieces, unsigned, high word
 * first; 30003 is 1 while it is sure. `level`: 30001 current in µA, 4000 empty, 20000 at capacity, 0
 * with a broken wire; 30002 the same in per mille. `presence`: 30001 bit 0, and the discrete input
 * 10001 and coil 00001: 1 while at least `from` lies there.
 */
export function sensorDevice(
  sensor: SensorModel,
  model: { readonly tareMg: number; readonly capacityMg: number },
  seen: Seen,
): RegisterDevice {
  const isPresent = (): boolean => sensor.kind === 'presence' && seen.quantity() >= sensor.from;
  const words = (): readonly number[] => {
    if (sensor.kind === 'count') {
      const { stable, cellError } = seen.display();
      return [...int32Words(cellError ? 0 : seen.quantity()), stable && !cellError ? 1 : 0];
    }
    if (sensor.kind === 'presence') return [isPresent() ? 1 : 0];
    const { grossMg, cellError } = seen.display();
    const full = (grossMg - model.tareMg) / (model.capacityMg - model.tareMg);
    const current = EMPTY_UA + full * (FULL_UA - EMPTY_UA);
    const shown = Math.round(Math.min(MOST_UA, Math.max(LEAST_UA, current)));
    const permille = Math.round(Math.min(1, Math.max(0, full)) * 1000);
    return cellError ? [BROKEN_UA, 0] : [shown, permille];
  };
  return {
    read: readBlocks([
      { table: 'holding', address: 0, words },
      { table: 'input', address: 0, words },
    ]),
    write: () => 'illegal-address',
    ...(sensor.kind === 'presence' && {
      readBits: (address, count) => (address === 0 && count === 1 ? [isPresent()] : null),
    }),
  };
}
