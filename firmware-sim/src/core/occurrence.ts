import { DAY_MS, SECOND_MS } from '#shared/units.ts';
import { uniformAt } from './random.ts';

/**
 * When something befalls a device: at times of its own, counted from when live readings begin
 * (before that where negative), or at random, once in each `1/perDay` of a day. Nothing: never.
 */
export interface Occurrence {
  readonly afterS?: readonly number[] | undefined;
  readonly perDay?: number | undefined;
  readonly durationS: number;
}

/** One time that it happens. */
export interface Happening {
  /** Unlike that of any other of the same occurrence. */
  readonly id: number;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** The course of time that occurrences are counted in, ms since 1970 UTC. */
export interface Era {
  /** The world begins. */
  readonly from: number;
  /** Live readings begin. */
  readonly liveFrom: number;
}

/** A pure function of the time. */
export interface Occurrences {
  at(time: number): Happening | null;
  /** The newest that has begun. */
  latest(time: number): Happening | null;
  /** The first that begins after `time`. */
  next(time: number): Happening | null;
  /** Those that begin in (after, to], oldest first. */
  between(after: number, to: number): Happening[];
}

export function occurrencesOf(options: {
  readonly occurrence: Occurrence;
  readonly key: number;
  readonly era: Era;
}): Occurrences {
  const { occurrence, key, era } = options;
  const durationMs = occurrence.durationS * SECOND_MS;
  const fixed = (occurrence.afterS ?? [])
    .map((afterS) => era.liveFrom + afterS * SECOND_MS)
    .filter((from) => from >= era.from)
    .sort((a, b) => a - b)
    .map((from, i) => ({ id: -1 - i, from, to: from + durationMs }));
  const perDay = occurrence.perDay ?? 0;
  const slotMs = perDay > 0 ? DAY_MS / perDay : Infinity;

  function random(slot: number): Happening {
    const from = Math.round(era.from + (slot + uniformAt(key, slot)) * slotMs);
    return { id: slot, from, to: from + durationMs };
  }

  function inSlots(first: number, last: number): Happening[] {
    if (slotMs === Infinity) return [];
    const low = Math.max(0, Math.floor((first - era.from) / slotMs));
    const high = Math.floor((last - era.from) / slotMs);
    return Array.from({ length: Math.max(0, high - low + 1) }, (_, i) => random(low + i));
  }

  return {
    at(time) {
      const isNow = ({ from, to }: Happening): boolean => from <= time && time < to;
      return inSlots(time - durationMs, time).find(isNow) ?? fixed.find(isNow) ?? null;
    },
    latest(time) {
      const begun = [...inSlots(time - slotMs, time), ...fixed].filter(({ from }) => from <= time);
      return newest(begun);
    },
    next(time) {
      const coming = [...inSlots(time, time + 2 * slotMs), ...fixed];
      return coming.filter(({ from }) => from > time).sort(byTime)[0] ?? null;
    },
    between(after, to) {
      return [...inSlots(after, to), ...fixed]
        .filter(({ from }) => from > after && from <= to)
        .sort(byTime);
    },
  };
}

const byTime = (a: Happening, b: Happening): number => a.from - b.from;

const newest = (happenings: readonly Happening[]): Happening | null =>
  happenings.reduce<Happening | null>(
    (found, one) => (found === null || one.from > found.from ? one : found),
    null,
  );
