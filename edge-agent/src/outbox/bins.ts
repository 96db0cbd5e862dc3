import type { BinId } from '#shared/ids.ts';
import type { Reported } from '../core/reporting.ts';
import type { Disk } from './disk.ts';
import { hashOf } from './rows.ts';
import type { BinRow } from './statements.ts';

/** A bin as the outbox knows it. */
export interface KnownBin {
  readonly id: number;
  readonly bin: BinId;
  readonly hash: number;
  /** Device time of its newest reading. */
  readonly at: number;
}

/** The table `bins`: every bin that was ever appended, with its newest reading. */
export class Bins {
  readonly #disk: Disk;
  readonly #known = new Map<BinId, KnownBin>();
  readonly #byId = new Map<number, KnownBin>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  load(): void {
    this.#known.clear();
    this.#byId.clear();
    for (const { id, bin, at } of this.rows()) this.keep({ id, bin, hash: hashOf(bin), at });
  }

  rows(): BinRow[] {
    return this.#disk.guarded(() => this.#disk.statements.bins.all() as unknown as BinRow[]);
  }

  keep(known: KnownBin): void {
    this.#known.set(known.bin, known);
    this.#byId.set(known.id, known);
  }

  get count(): number {
    return this.#known.size;
  }

  of(bin: BinId): KnownBin | undefined {
    return this.#known.get(bin);
  }

  /** @throws Failure `outbox-corrupt` */
  byId(id: number): KnownBin {
    const known = this.#byId.get(id);
    if (known === undefined) throw this.#disk.damaged(`no bin ${id}`);
    return known;
  }

  /** Newest device time on record, of any bin; 0 for none. */
  get newestAt(): number {
    let newest = 0;
    for (const { at } of this.#known.values()) newest = Math.max(newest, at);
    return newest;
  }

  /** The newest reading of every bin. */
  newest(): ReadonlyMap<BinId, Reported> {
    return new Map(
      this.rows().map(({ bin, at, value, samples, spread, quality, ...row }) => {
        const reported = { accountedTo: row.accounted_to, unconfirmed: row.unconfirmed === 1 };
        return [bin, { at, value, samples, spread, quality, ...reported }];
      }),
    );
  }
}
