import type { BinId } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';
import type { Live } from '#shared/wire/live.ts';

/** Newest readings past the queue, so that people see the present while the past drains. */
export class LiveLane {
  /** Newest of every bin since the start. */
  readonly #newest = new Map<BinId, Reading>();
  /** Those to go with the next message, where a backlog makes them wait otherwise. */
  readonly #committed = new Map<BinId, Reading>();
  /** Newest of every bin that waits for the disk: shown at once, with a backlog or without. */
  readonly #waiting = new Map<BinId, Reading>();

  committed(readings: readonly Reading[]): void {
    for (const reading of readings) {
      this.#newest.set(reading.bin, reading);
      this.#committed.set(reading.bin, reading);
    }
  }

  /** What is not on the disk yet. */
  waiting(readings: readonly Reading[]): void {
    for (const reading of readings) {
      if (reading.at > (this.#newest.get(reading.bin)?.at ?? 0)) {
        this.#newest.set(reading.bin, reading);
        this.#waiting.set(reading.bin, reading);
      }
    }
  }

  /** After an outage the cloud is shown where every bin stands, changed or not. */
  repeat(): void {
    for (const [bin, reading] of this.#newest) this.#committed.set(bin, reading);
  }

  /** @returns what goes with a message now, and is then done with */
  take({ hasBacklog }: { readonly hasBacklog: boolean }): Live['readings'] {
    const shown = new Map([...(hasBacklog ? this.#committed : []), ...this.#waiting]);
    this.#committed.clear();
    this.#waiting.clear();
    return [...shown.values()].map(({ bin, at, value, unit, quality }) => {
      return { bin, at, value, unit, quality };
    });
  }
}
