import { join } from 'node:path';
import type { Clock } from '#shared/clock.ts';
import type { BinId } from '#shared/ids.ts';
import type { BinContent } from '../core/bin-state.ts';
import type { Indicator } from '../core/indicator.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { appendByHand, BY_HAND_FILE, readByHand, type DeedByHand } from '../truth/by-hand.ts';
import type { TruthEvent } from '../truth/incidents.ts';
import type { Memory } from '../truth/memory.ts';
import { createSimulation, type Simulation } from './simulation.ts';

/** The world as it is at the moment somebody looks; what came to pass until then enters the truth. */
export class LiveWorld {
  readonly #simulation: Simulation;
  readonly #memory: Memory | null;
  readonly #byHandFile: string | null;
  readonly #clock: Clock;
  readonly #speed: number;
  readonly #liveFrom: number;

  /** @param now where it begins without a memory @throws Failure `file` */
  constructor(options: {
    readonly scenario: Scenario;
    readonly memory: Memory | null;
    /** How many times faster than the clock it runs. */
    readonly speed: number;
    readonly clock: Clock;
    readonly now: number;
  }) {
    const { scenario, memory, speed, clock, now } = options;
    this.#memory = memory;
    this.#speed = speed;
    this.#clock = clock;
    this.#liveFrom = memory?.state.startedAt ?? now;
    this.#byHandFile = memory && join(memory.dir, BY_HAND_FILE);
    const era = { from: memory?.state.historyFrom ?? now, liveFrom: this.#liveFrom };
    const byHand = this.#byHandFile === null ? [] : readByHand(this.#byHandFile);
    this.#simulation = createSimulation(scenario, era, byHand);
    this.advance();
  }

  /** The world's time now, ms since 1970 UTC. */
  nowMs(): number {
    return this.#scaled(this.#clock.wallMs(), this.#speed);
  }

  advance(): void {
    this.#tell(this.#simulation.advance(this.nowMs()));
  }

  content(bin: BinId): BinContent {
    this.advance();
    return this.#simulation.content(bin);
  }

  isAway(site: string, link: string): boolean {
    this.advance();
    return this.#simulation.isAway(site, link);
  }

  /** Somebody puts or takes something now; it is remembered before it is done. */
  act(bin: BinId, deed: DeedByHand['deed']): void {
    this.advance();
    const { now } = this.#simulation;
    if (this.#byHandFile !== null) appendByHand(this.#byHandFile, { at: now, bin, deed });
    this.#tell(this.#simulation.act(bin, deed));
  }

  indicator(bin: BinId): Indicator {
    const indicator = this.#simulation.indicator(bin);
    const now = (): Indicator => {
      this.advance();
      return indicator;
    };
    return {
      isOn: () => now().isOn(),
      display: () => now().display(),
      zero: () => now().zero(),
      tare: () => now().tare(),
      presetTare: (massMg) => indicator.presetTare(massMg),
      clearTare: () => indicator.clearTare(),
    };
  }

  #tell(events: readonly TruthEvent[]): void {
    this.#memory?.truth.add(events.map((event) => this.#stamped(event)));
  }

  /** Of a world that runs faster, with the clock's time at which the event could be seen. */
  #stamped(event: TruthEvent): TruthEvent & { readonly wall?: number } {
    return this.#speed === 1 ? event : { ...event, wall: this.#scaled(event.at, 1 / this.#speed) };
  }

  #scaled(ms: number, factor: number): number {
    const from = this.#liveFrom;
    return ms <= from ? ms : Math.round(from + (ms - from) * factor);
  }
}
