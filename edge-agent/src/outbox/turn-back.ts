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
  /** What is further ahead was never taken by the cloud, and is not to be sent. */
  readonly #limit: number;
  /** Newest time that the cloud may have taken; 0 for none. */
  readonly #acceptedAt: number;

  constructor(
    statements: Statements,
    clocks: Clocks,
    { to, nowMs }: { readonly to: ClockSegment; readonly nowMs: number },
  ) {
    this.#statements = statements;
    this.#clocks = clocks;
    this.#to = to;
    this.#nowMs = nowMs;
    this.#limit = nowMs + MAX_AHEAD_MS;
    this.#acceptedAt = Number(statements.acceptedAt.get(this.#limit)?.['at'] ?? 0);
  }

  /** Gives the true time to what this boot measured, and to the bins whose newest it is. */
  move(): void {
    this.#clocks.turnBack(this.#to, this.#acceptedAt);
    this.#statements.binsFromRows.run();
  }

  /** @returns a record for every bin whose newest reading is still ahead */
  recorded(bins: readonly BinRow[]): Gap[] {
    const ahead = this.#statements.aheadByBin.all(this.#limit);
    const counts = new Map(ahead.map(({ bin, count }) => [bin, Number(count)]));
    const to = this.#nowMs;
    const from = this.#acceptedAt > 0 ? Math.min(this.#acceptedAt, to) : to;
    return bins
      .filter(({ at }) => at > this.#limit)
      .map(({ id, bin }) => ({ bin, from, to, count: counts.get(id) ?? 0, why: 'misdated' }));
  }

  /** Removes what is still ahead; its bins go on from what the cloud has. @returns how many readings */
  remove(): number {
    const { removeAhead, clampGaps, turnBins } = this.#statements;
    const [$limit, $now] = [this.#limit, this.#nowMs];
    const { changes } = removeAhead.run($limit);
    clampGaps.run({ $now, $limit });
    turnBins.run({ $at: Math.max(1, this.#acceptedAt), $now, $limit });
    return Number(changes);
  }
}
