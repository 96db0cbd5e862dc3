import type { Gap } from '#shared/reading.ts';
import { MAX_AHEAD_MS } from '#shared/wire/receipt.ts';
import type { ClockSegment } from '../core/device-clock.ts';
import type { Clocks } from './clocks.ts';
import type { BinRow, Statements } from './statements.ts';

/** What is done to the rows of an outbox whose time goes back; all of it in one transaction. */
export class TurnBack {
  readonly #statements: Statements;
  readonly #clocks: Clocks;
  readonly #to: ClockSegment;
  readonly #nowMs: number;
  /** Newest time that the cloud may have taken; 0 for none. */
  readonly #acceptedAt: number;
  /** Which rows can bear no time any more, see `statements.ts`. */
  readonly #ahead: {
    /** What is further ahead was never taken by the cloud, and is not to be sent. */
    readonly $limit: number;
    readonly $boot: string;
    readonly $sealed: number;
    /** True time of the first row of this boot; of an earlier boot is only what comes before. */
    readonly $first: number;
  };

  /** @param sealedRow newest row that was part of a batch, and may have been sent */
  constructor(
    statements: Statements,
    clocks: Clocks,
    turn: { readonly to: ClockSegment; readonly nowMs: number; readonly sealedRow: number },
  ) {
    const { to, nowMs, sealedRow: $sealed } = turn;
    this.#statements = statements;
    this.#clocks = clocks;
    this.#to = to;
    this.#nowMs = nowMs;
    const { boot: $boot, offsetMs } = to;
    const $limit = nowMs + MAX_AHEAD_MS;
    const sinceBoot = statements.firstOfBoot.get($boot)?.['at'];
    const $first = typeof sinceBoot === 'number' ? sinceBoot + offsetMs : nowMs;
    this.#ahead = { $limit, $boot, $sealed, $first };
    this.#acceptedAt = Math.max(
      Number(statements.receiptedAt.get($limit)?.['at'] ?? 0),
      Number(statements.sealedAt.get({ $sealed, $boot, $limit })?.['at'] ?? 0),
    );
  }

  /** Gives the true time to what this boot measured, and to the bins whose newest it is. */
  move(): void {
    this.#clocks.turnBack(this.#to, this.#acceptedAt);
    this.#statements.binsFromRows.run();
  }

  /** @returns a record for every bin that has readings which are still ahead, or whose newest was */
  recorded(bins: readonly BinRow[]): Gap[] {
    const ahead = this.#statements.aheadByBin.all(this.#ahead);
    const counts = new Map(ahead.map(({ bin, count }) => [bin, Number(count)]));
    const to = this.#nowMs;
    const from = this.#acceptedAt > 0 ? Math.min(this.#acceptedAt, to) : to;
    return bins
      .filter(({ id, at }) => at > this.#ahead.$limit || counts.has(id))
      .map(({ id, bin }) => ({ bin, from, to, count: counts.get(id) ?? 0, why: 'misdated' }));
  }

  /** Removes what is still ahead; its bins go on from what the cloud has. @returns how many readings */
  remove(): number {
    const { loseNewest, removeAhead, turnBins, clampGaps } = this.#statements;
    const $now = this.#nowMs;
    loseNewest.run(this.#ahead);
    const { changes } = removeAhead.run(this.#ahead);
    turnBins.run({ $at: Math.max(1, this.#acceptedAt), $now });
    clampGaps.run({ $now, $limit: this.#ahead.$limit });
    return Number(changes);
  }
}
