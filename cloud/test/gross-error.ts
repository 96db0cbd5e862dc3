import { DAY_MS } from '#shared/units.ts';
import type { Movement } from '../src/consumption/core/model.ts';
import type { TrueEvent } from './bin-world.ts';

/** Consumption as it was and as it was booked, summed over days of UTC. */
export interface ConsumptionError {
  readonly truth: number;
  /** Σ |booked − true| per day. */
  readonly gross: number;
  /** Σ booked − true. */
  readonly net: number;
}

export function consumptionError(
  events: readonly TrueEvent[],
  movements: readonly Movement[],
): ConsumptionError {
  const truth = daily(events);
  const booked = daily(movements);
  let gross = 0;
  for (const day of new Set([...truth.keys(), ...booked.keys()])) {
    gross += Math.abs((booked.get(day) ?? 0) - (truth.get(day) ?? 0));
  }
  return { truth: sum(truth), gross, net: sum(booked) - sum(truth) };
}

function daily(
  entries: readonly { readonly at: number; readonly kind: string; readonly quantity: number }[],
): Map<number, number> {
  const days = new Map<number, number>();
  for (const { at, kind, quantity } of entries) {
    if (kind !== 'consumption') continue;
    const day = Math.floor(at / DAY_MS);
    days.set(day, (days.get(day) ?? 0) - quantity);
  }
  return days;
}

function sum(days: ReadonlyMap<number, number>): number {
  return [...days.values()].reduce((total, quantity) => total + quantity, 0);
}
