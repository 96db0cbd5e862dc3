import type { ClockSegment } from '../core/device-clock.ts';
import type { Disk } from './disk.ts';
import type { ClockRow, Statements } from './statements.ts';

interface Stored {
  readonly id: number;
  readonly segment: ClockSegment;
  /** First row that it stamped. */
  readonly firstRow: number;
  /** Newest device time on record when it began: nothing it stamped may be shifted before it. */
  readonly floorMs: number;
}

/** Segments that are new, to be added in a transaction and, after the commit, kept. */
export type StartedClocks = ReadonlyMap<string, Stored>;

const NO_CLOCK = 0;

/** The table `clocks`: a shift is one row here, however many readings it is for. */
export class Clocks {
  readonly #disk: Pick<Disk, 'statements'>;
  readonly #open = new Map<string, Stored>();
  readonly #shifts = new Map<number, { readonly shiftMs: number; readonly after: number }>();
  #newestId = 0;

  constructor(disk: Pick<Disk, 'statements'>) {
    this.#disk = disk;
  }

  get #statements(): Statements {
    return this.#disk.statements;
  }

  /** Segments whose times were not shifted. */
  get segments(): ClockSegment[] {
    return [...this.#open.values()].map(({ segment }) => segment);
  }

  load(): void {
    this.#open.clear();
    this.#shifts.clear();
    this.#newestId = 0;
    for (const row of this.#statements.clocks.all() as unknown as ClockRow[]) {
      this.#newestId = row.id;
      const { boot, offset_ms: offsetMs, shift_ms: shiftMs, shift_from: after } = row;
      const segment = { boot, offsetMs, synced: row.synced === 1 };
      if (after !== null) this.#shifts.set(row.id, { shiftMs, after });
      else {
        const stored = { id: row.id, segment, firstRow: row.first_row, floorMs: row.floor_ms };
        this.#open.set(keyOf(segment), stored);
      }
    }
  }

  firstRow(segment: ClockSegment): number | null {
    return this.#open.get(keyOf(segment))?.firstRow ?? null;
  }

  starting(
    entries: readonly { readonly clock: ClockSegment | null }[],
    place: { readonly row: number; readonly floorMs: number },
  ): StartedClocks {
    const added = new Map<string, Stored>();
    for (const { clock: segment } of entries) {
      if (segment === null) continue;
      const key = keyOf(segment);
      if (this.#open.has(key) || added.has(key)) continue;
      const id = this.#newestId + added.size + 1;
      added.set(key, { id, segment, firstRow: place.row, floorMs: place.floorMs });
    }
    return added;
  }

  add(added: StartedClocks): void {
    for (const { id, segment, firstRow, floorMs } of added.values()) {
      const { boot, offsetMs, synced } = segment;
      this.#statements.addClock.run(id, boot, offsetMs, synced ? 1 : 0, firstRow, floorMs);
    }
  }

  keep(added: StartedClocks): void {
    for (const [key, stored] of added) {
      this.#open.set(key, stored);
      this.#newestId = Math.max(this.#newestId, stored.id);
    }
  }

  idOf(segment: ClockSegment | null, added: StartedClocks): number {
    if (segment === null) return NO_CLOCK;
    const key = keyOf(segment);
    return (this.#open.get(key) ?? added.get(key))?.id ?? NO_CLOCK;
  }

  /** By how much a row is shifted, ms; null where it is not. */
  shiftAt(clock: number, row: number): number | null {
    const shift = this.#shifts.get(clock);
    return shift !== undefined && row > shift.after ? shift.shiftMs : null;
  }

  shiftOf(from: ClockSegment, to: ClockSegment, sealedRow: number): number {
    const exact = to.offsetMs - from.offsetMs;
    const stored = this.#open.get(keyOf(from));
    if (stored === undefined) return exact;
    const first = this.#firstAt(stored.id, sealedRow);
    if (first === null) return exact;
    // What was sealed stays as it is, so that what follows it cannot go back.
    if (sealedRow >= stored.firstRow) return Math.max(exact, 0);
    return Math.max(exact, stored.floorMs + 1 - first);
  }

  shift(from: ClockSegment, shiftMs: number, sealedRow: number): void {
    const stored = this.#open.get(keyOf(from));
    if (stored === undefined) return;
    const $first = this.#firstAt(stored.id, sealedRow);
    this.#statements.shiftClock.run(shiftMs, sealedRow, stored.id);
    if ($first === null) return;
    const moved = { $shift: shiftMs, $first, $sealed: sealedRow };
    this.#statements.shiftBins.run({ ...moved, $clock: stored.id });
    this.#statements.shiftGaps.run({ ...moved, $firstRow: stored.firstRow });
  }

  /** Rows up to this one are receipted: nothing that its clock stamps may come before them. */
  raiseFloor(row: number): void {
    const newest = this.#statements.clockOf.get(row);
    if (newest === undefined) return;
    const [clock, at] = [Number(newest['clock']), Number(newest['at'])];
    this.#statements.raiseFloor.run(at + (this.shiftAt(clock, row) ?? 0), clock);
  }

  /**
   * Shifts all that is left of a boot to the true time, as far as its order allows; also what was
   * shifted before.
   * @param acceptedAt newest time that the cloud may have
   */
  turnBack(to: ClockSegment, acceptedAt: number): void {
    let floor = acceptedAt;
    for (const found of this.#statements.ownClocks.all(to.boot)) {
      const { id, offset_ms: offsetMs } = found as unknown as ClockRow;
      const exact = to.offsetMs - offsetMs;
      const first = this.#firstAt(id, 0);
      const shiftMs = first === null ? exact : Math.max(exact, floor + 1 - first);
      this.#statements.shiftClock.run(shiftMs, 0, id);
      const newest = this.#statements.newestOfClock.get(id)?.['at'];
      if (typeof newest === 'number') floor = Math.max(floor, newest + shiftMs);
    }
  }

  #firstAt(clock: number, sealedRow: number): number | null {
    const at = this.#statements.firstOfClock.get(sealedRow, clock)?.['at'];
    return typeof at === 'number' ? at : null;
  }
}

const keyOf = ({ boot, offsetMs, synced }: ClockSegment): string => `${boot} ${offsetMs} ${synced}`;
