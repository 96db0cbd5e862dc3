import type { BinId } from '#shared/ids.ts';
import { MOST_REGISTERS, spanOf } from '#shared/profile.ts';
import { massAt, type LevelPoint } from '../core/level-table.ts';
import type { BinRead, ScaleFault } from '../core/scale-read.ts';
import type { ModbusPoint, ModbusSlave } from './modbus.ts';
import type { ModbusScaleConfig } from './modbus-config.ts';
import { decodeRegisters, numberAt } from './registers.ts';
import { sensorSpan, type SensorConfig } from './sensor-config.ts';

export interface BinPoint extends ModbusPoint {
  readonly bin: BinId;
}

/** A slave with the rhythm that it is polled in: that of its most impatient bin. */
export interface PolledSlave extends ModbusSlave<BinPoint> {
  readonly pollMs: number;
}

type RegisterSensor = Exclude<SensorConfig, { kind: 'presence' }>;

/** Permille of what the bin holds. */
const PRESENT = 1_000;

const fault = (quality: ScaleFault['quality'], why: string): ScaleFault => ({
  ok: false,
  quality,
  why,
});

const isSet = (word: number, flag: { readonly bit: number; readonly inverted: boolean }): boolean =>
  ((word >> flag.bit) & 1) === (flag.inverted ? 0 : 1);

/** All bins of a link, grouped by the slave that they are behind. */
export function slavesOf({
  scales,
  sensors,
}: {
  readonly scales: readonly ModbusScaleConfig[];
  readonly sensors: readonly SensorConfig[];
}): PolledSlave[] {
  const slaves = new Map<number, PolledSlave>();
  const add = (unit: number, pollMs: number, maxRegisters: number, point: BinPoint): void => {
    const slave = slaves.get(unit);
    slaves.set(unit, {
      unit,
      points: [...(slave?.points ?? []), point],
      pollMs: Math.min(slave?.pollMs ?? pollMs, pollMs),
      maxRegisters: Math.min(slave?.maxRegisters ?? MOST_REGISTERS, maxRegisters),
    });
  };
  for (const { unit, pollMs, maxRegisters, ...scale } of scales) {
    add(unit, pollMs, maxRegisters ?? scale.profile.maxRegisters, scalePoint(scale));
  }
  for (const sensor of sensors) {
    add(sensor.unit, sensor.pollMs, sensor.maxRegisters, sensorPoint(sensor));
  }
  return [...slaves.values()];
}

function scalePoint({
  bin,
  profile,
  countMg,
}: Pick<ModbusScaleConfig, 'bin' | 'profile' | 'countMg'>): BinPoint {
  return {
    bin,
    table: profile.table,
    ...spanOf(profile),
    decode: (words) => decodeRegisters(profile, words, countMg ?? null),
  };
}

function sensorPoint(sensor: SensorConfig): BinPoint {
  const { bin, table, address: first } = sensor;
  if (sensor.kind === 'presence') {
    const { bit = 0, inverted } = sensor;
    const decode = ([word]: readonly number[]): BinRead => {
      if (word === undefined) return fault('comm-error', 'answered without a register');
      return { ok: true, value: isSet(word, { bit, inverted }) ? PRESENT : 0 };
    };
    return { bin, table, first, count: 1, decode };
  }
  return {
    bin,
    table,
    ...sensorSpan(sensor),
    decode: (words) => decodeSensor(sensor, words),
  };
}

/** A count or a level from its registers. */
function decodeSensor(sensor: RegisterSensor, words: readonly number[]): BinRead {
  const { first } = sensorSpan(sensor);
  const { sure } = sensor;
  if (sure !== undefined && !isSet(words[sure.address - first] ?? 0, sure)) {
    return fault('comm-error', 'the sensor does not vouch for its value');
  }
  const value = numberAt(words, sensor.address - first, { ...sensor.words, type: sensor.type });
  if (value === null || !Number.isFinite(value)) {
    return fault('comm-error', `a value that is no number: ${value ?? 'no register'}`);
  }
  const { valid } = sensor;
  if (valid !== undefined && (value < valid.from || value > valid.to)) {
    return fault('comm-error', `${value} is not what the sensor can give: a broken wire?`);
  }
  if (sensor.kind === 'level') return levelRead(sensor.levels, value);
  const count = Math.round(value);
  if (count < 0) return fault('underload', `a count below none: ${value}`);
  return { ok: true, value: count };
}

function levelRead(levels: readonly LevelPoint[], value: number): BinRead {
  const mass = massAt(levels, value);
  if (typeof mass === 'number') return { ok: true, massMg: mass, stable: true };
  const [first, last] = [levels[0]?.massMg ?? 0, levels.at(-1)?.massMg ?? 0];
  const isFull = (mass === 'below') === first > last;
  return fault(isFull ? 'overload' : 'underload', `${value} lies ${mass} the table of levels`);
}
