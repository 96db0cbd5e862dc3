import type { FoldReading, BinSetup } from '../src/consumption/core/model.ts';
import { productId } from '#shared/ids.ts';
import { seededRandom } from '#shared/testing/random.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '#shared/units.ts';

/**
 * A bin on a scale as people use it, event by event, with what its agent reports of it. A pure
 * function of its options, so that the truth can be held against what the fold makes of it.
 */
export interface BinWorld {
  readonly seed: number;
  readonly days: number;
  /** Catalogue mass of a piece; `null` for bulk. */
  readonly pieceMassMg: number | null;
  /** True mass over catalogue mass. */
  readonly pieceMassRatio: number;
  /** Standard deviation of single pieces, relative. */
  readonly scatter: number;
  readonly capacityMg: number;
  /** Standard deviation of one sample. */
  readonly noiseMg: number;
  readonly driftMgPerSqrtHour: number;
  /** Amplitude of the zero's daily wave: temperature. */
  readonly dailyWaveMg: number;
  readonly picksPerDay: number;
  /** Pieces, or shares of 1/2000 of the capacity for bulk. */
  readonly pickMost: number;
  /** Shortest distance of two readings of a quiet bin. */
  readonly heartbeatMs: number;
  /** Only a reading each heartbeat, none on change: what an indicator with a memory records. */
  readonly recorded: boolean;
  /** How often a day: leaning hands, spikes, tools laid on, silences, faults. */
  readonly leans: number;
  readonly spikes: number;
  readonly tools: number;
  readonly silences: number;
  readonly faults: number;
}

export interface TrueEvent {
  readonly at: number;
  readonly kind: 'consumption' | 'refill';
  /** Change of stock in the product's unit. */
  readonly quantity: number;
}

export interface BinHistory {
  readonly setup: BinSetup;
  readonly readings: readonly FoldReading[];
  readonly events: readonly TrueEvent[];
  readonly opening: number;
}

const START = Date.UTC(2026, 0, 5);
const TARE_MG = 250_000;

export const quietWorld: BinWorld = {
  seed: 1,
  days: 7,
  pieceMassMg: 2_000,
  pieceMassRatio: 1,
  scatter: 0.01,
  capacityMg: 6_000_000,
  noiseMg: 80,
  driftMgPerSqrtHour: 30,
  dailyWaveMg: 0,
  picksPerDay: 40,
  pickMost: 8,
  heartbeatMs: 60_000,
  recorded: false,
  leans: 0,
  spikes: 0,
  tools: 0,
  silences: 0,
  faults: 0,
};

type Act = 'pick' | 'lean' | 'spike' | 'tool' | 'silence' | 'fault';

export function liveThrough(world: BinWorld): BinHistory {
  const bin = new Bin(world);
  for (const { at, act } of agenda(world)) {
    bin.restUntil(at);
    bin[act]();
  }
  bin.restUntil(START + world.days * DAY_MS);
  return bin.history();
}

/** What happens when; picks between 6 and 22 h, more of them around 9 and 15 h. */
function agenda(world: BinWorld): { at: number; act: Act }[] {
  const random = seededRandom(world.seed * 2 + 1);
  const acts: { at: number; act: Act }[] = [];
  const daily: [Act, number][] = [
    ['pick', world.picksPerDay],
    ['lean', world.leans],
    ['spike', world.spikes],
    ['tool', world.tools],
    ['silence', world.silences],
    ['fault', world.faults],
  ];
  for (let day = 0; day < world.days; day += 1) {
    for (const [act, mean] of daily) {
      const times = Math.floor(mean) + (random() < mean % 1 ? 1 : 0);
      for (let i = 0; i < times; i += 1) {
        const shift =
          act !== 'pick' ? random() * 24 : (random() < 0.5 ? 9 : 15) + 6 * (random() - random());
        acts.push({ at: START + day * DAY_MS + Math.round(shift * HOUR_MS), act });
      }
    }
  }
  return acts.toSorted((a, b) => a.at - b.at);
}

class Bin {
  readonly #world: BinWorld;
  readonly #random: () => number;
  readonly #readings: FoldReading[] = [];
  readonly #events: TrueEvent[] = [];
  readonly #opening: number;
  /** Mass of a piece in truth; 1 mg for bulk. */
  readonly #unitMg: number;
  #now = START;
  #reportedAt = START;
  #driftedAt = START;
  #zeroMg = 0;
  #goodsMg = 0;
  #loadMg = 0;
  #stock = 0;
  #deafUntil = 0;

  constructor(world: BinWorld) {
    this.#world = world;
    this.#random = seededRandom(world.seed);
    this.#unitMg = (world.pieceMassMg ?? 1) * (world.pieceMassRatio || 1);
    this.#opening = Math.floor((world.capacityMg * 0.6) / this.#unitMg);
    this.#move(this.#opening);
  }

  history(): BinHistory {
    const { pieceMassMg, capacityMg } = this.#world;
    const setup: BinSetup = {
      from: START,
      product: productId('goods'),
      unit: pieceMassMg === null ? 'mg' : 'piece',
      tareMg: TARE_MG,
      pieceMassMg,
      capacityMg,
    };
    return { setup, readings: this.#readings, events: this.#events, opening: this.#opening };
  }

  /** Lets time pass; the agent reports each heartbeat. */
  restUntil(at: number): void {
    const { heartbeatMs, recorded } = this.#world;
    for (let next = this.#reportedAt + heartbeatMs; next < at; next += heartbeatMs) {
      if (next <= this.#now) {
        // Its minute came while hands were in the bin.
        if (recorded) this.#push({ value: null, samples: 0, spread: 0, quality: 'unstable' }, next);
        continue;
      }
      this.#now = next;
      this.#report(recorded ? 10 : Math.round(heartbeatMs / SECOND_MS));
    }
    this.#now = Math.max(this.#now, at);
  }

  pick(): void {
    const { pieceMassMg, capacityMg, pickMost } = this.#world;
    const portion = 1 + Math.floor(this.#random() * pickMost);
    const wanted = pieceMassMg === null ? Math.round((portion * capacityMg) / 2_000) : portion;
    const quantity = Math.min(wanted, this.#stock);
    if (quantity > 0) {
      this.#handle(3, 20);
      this.#book('consumption', -quantity);
      this.#settle();
    }
    if (this.#stock * this.#unitMg < capacityMg * 0.15) this.#refill();
  }

  /** Poured in portions, some of which the scale sees settle; sometimes someone takes meanwhile. */
  #refill(): void {
    const { capacityMg, pickMost, pieceMassMg } = this.#world;
    this.restUntil(this.#now + (0.1 + this.#random()) * HOUR_MS);
    const portions = 1 + Math.floor(this.#random() * 3);
    const portion = Math.floor(
      (capacityMg * (0.6 + 0.1 * this.#random())) / this.#unitMg / portions,
    );
    for (let i = 0; i < portions; i += 1) {
      this.#handle(10, 60);
      this.#book('refill', portion);
      if (this.#random() < 0.5) this.#settle();
    }
    if (pieceMassMg !== null && this.#random() < 0.2) {
      this.#handle(3, 10);
      this.#book('consumption', -1 - Math.floor(this.#random() * pickMost));
    }
    this.#settle();
  }

  lean(): void {
    this.#loadMg = this.#world.capacityMg * (0.02 + 0.3 * this.#random());
    this.#now += 2 * SECOND_MS;
    const until = this.#now + (8 + 50 * this.#random()) * SECOND_MS;
    if (this.#random() < 0.5) this.#settle(3);
    this.restUntil(until);
    this.#loadMg = 0;
    this.#settle();
  }

  spike(): void {
    this.#loadMg = this.#world.capacityMg * (this.#random() - 0.3);
    this.#now += SECOND_MS;
    this.#report(1);
    this.#loadMg = 0;
    this.#settle();
  }

  tool(): void {
    this.#loadMg = this.#world.capacityMg * (0.01 + 0.1 * this.#random());
    this.#settle();
    this.restUntil(this.#now + (5 + 55 * this.#random()) * MINUTE_MS);
    this.#loadMg = 0;
    this.#settle();
  }

  /** No readings at all: the power is off. */
  silence(): void {
    this.#deafUntil = this.#now + (1 + 4 * this.#random()) * HOUR_MS;
  }

  /** The link is broken, and the agent says so. */
  fault(): void {
    this.#now += SECOND_MS;
    this.#push({ value: null, samples: 0, spread: 0, quality: 'comm-error' });
    this.#deafUntil = this.#now + (1 + 30 * this.#random()) * MINUTE_MS;
  }

  /** Hands in the bin: nothing settles; now and then the agent says so. */
  #handle(leastS: number, mostS: number): void {
    if (this.#random() < 0.3 && !this.#world.recorded) {
      this.#now += SECOND_MS;
      this.#push({ value: null, samples: 0, spread: 0, quality: 'unstable' });
    }
    this.#now += Math.round((leastS + (mostS - leastS) * this.#random()) * SECOND_MS);
  }

  #settle(shake = 1): void {
    this.#now += Math.round((5 + 3 * this.#random()) * SECOND_MS);
    if (!this.#world.recorded) this.#report(5, shake);
  }

  #book(kind: TrueEvent['kind'], quantity: number): void {
    this.#move(quantity);
    this.#events.push({ at: this.#now, kind, quantity });
  }

  #move(quantity: number): void {
    this.#stock += quantity;
    const scatter = this.#world.pieceMassMg === null ? 0 : this.#world.scatter;
    const each = quantity + Math.sqrt(Math.abs(quantity)) * scatter * this.#normal();
    this.#goodsMg += each * this.#unitMg;
  }

  #report(samples: number, shake = 1): void {
    const { noiseMg } = this.#world;
    this.#drift();
    const sigma = noiseMg * shake;
    const error = (sigma * this.#normal()) / Math.sqrt(samples);
    const gross = TARE_MG + this.#goodsMg + this.#loadMg + this.#zeroMg + this.#wave() + error;
    const spread = sigma * (1 + (0.7 * this.#normal()) / Math.sqrt(samples));
    this.#push({
      value: Math.round(gross),
      samples,
      spread: samples === 1 ? 0 : Math.max(0, Math.round(spread)),
      quality: 'good',
    });
  }

  #push(
    reading: Pick<FoldReading, 'value' | 'samples' | 'spread' | 'quality'>,
    now = this.#now,
  ): void {
    const at = Math.max(Math.round(now), (this.#readings.at(-1)?.at ?? 0) + 1);
    if (at < this.#deafUntil) return;
    this.#reportedAt = at;
    this.#readings.push({ at, unit: 'mg', ...reading });
  }

  #wave(): number {
    return this.#world.dailyWaveMg * Math.sin(((this.#now - START) / DAY_MS) * 2 * Math.PI);
  }

  #drift(): void {
    const hours = Math.max(0, this.#now - this.#driftedAt) / HOUR_MS;
    this.#zeroMg += this.#world.driftMgPerSqrtHour * Math.sqrt(hours) * this.#normal();
    this.#driftedAt = this.#now;
  }

  #normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random()));
    return radius * Math.cos(2 * Math.PI * this.#random());
  }
}
