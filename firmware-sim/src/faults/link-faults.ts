import type { Clock } from '#shared/clock.ts';
import {
  isActive,
  isDrawn,
  isLineFault,
  ruleKey,
  type FaultKind,
  type FaultRule,
  type Framing,
  type LineFaultKind,
  type RuleState,
} from '../core/faults.ts';
import { streamOf, keyOf, type Stream } from '../core/random.ts';

/** A fault that was injected: a line of faults.jsonl. */
export interface Injection {
  /** ms since 1970 UTC */
  readonly at: number;
  readonly site: string;
  readonly link: string;
  /** The unit whose answer it befell; `null` for a line without units or for the line itself. */
  readonly unit: number | null;
  readonly kind: FaultKind;
  /** Answers of that unit before this one, or connections before this one. */
  readonly request: number;
  readonly rule: number;
}

/** A fault as people see it. */
export interface FaultView extends RuleState {
  readonly id: number;
  readonly site: string;
  readonly link: string;
  readonly unit: number | null;
  readonly rule: FaultRule;
  readonly active: boolean;
}

/** What befalls one answer. */
export interface Strike {
  readonly rule: FaultRule;
  readonly random: Stream;
}

export interface FaultyPlace {
  readonly site: string;
  readonly link: string;
  readonly framing: Framing;
  /** Of each byte only seven bits say something; absent: all do. */
  readonly isSevenBits?: boolean;
}

/** A rule on a link, since it was made. */
class Entry {
  readonly id: number;
  /** Only the answers of this unit; `null`: of all. */
  readonly unit: number | null;
  readonly rule: FaultRule;
  readonly #since: number;
  #injected = 0;

  constructor(id: number, unit: number | null, rule: FaultRule, now: number) {
    this.id = id;
    this.unit = unit;
    this.rule = rule;
    this.#since = now;
  }

  stateAt(now: number): RuleState {
    return { elapsedMs: now - this.#since, injected: this.#injected };
  }

  isActive(now: number): boolean {
    return isActive(this.rule, this.stateAt(now));
  }

  /** Whether it lasts, however often it was told. */
  lastsAt(now: number): boolean {
    return isActive(this.rule, { ...this.stateAt(now), injected: 0 });
  }

  concerns(unit: number | null): boolean {
    return this.unit === null || this.unit === unit;
  }

  get isTold(): boolean {
    return this.#injected > 0;
  }

  count(): void {
    this.#injected += 1;
  }
}

/** The faults of one link, decided by seed, device and number of the request alone. */
export class LinkFaults {
  readonly #place: FaultyPlace;
  readonly #name: string;
  readonly #seed: number;
  readonly #clock: Clock;
  readonly #onInjected: (injection: Injection) => void;
  readonly #answers = new Map<number | null, number>();
  #entries: Entry[] = [];
  #connections = 0;
  #rules = 0;

  constructor(options: {
    readonly place: FaultyPlace;
    readonly seed: number;
    readonly clock: Clock;
    readonly onInjected: (injection: Injection) => void;
  }) {
    this.#place = options.place;
    this.#name = `${options.place.site}/${options.place.link}`;
    this.#seed = options.seed;
    this.#clock = options.clock;
    this.#onInjected = options.onInjected;
  }

  get framing(): Framing {
    return this.#place.framing;
  }

  /** @returns what befalls the next answer of this unit, or `null` */
  onAnswer(unit: number | null): Strike | null {
    const request = this.#answers.get(unit) ?? 0;
    this.#answers.set(unit, request + 1);
    const struck = this.#entries.find(
      (entry) =>
        !isLineFault(entry.rule.kind) &&
        entry.rule.kind !== 'stuck' &&
        entry.concerns(unit) &&
        this.#strikes(entry, unit, request),
    );
    if (!struck) return null;
    this.#inject(struck, unit, request);
    const key = keyOf(this.#seed, this.#name, String(unit), String(struck.id), String(request));
    return { rule: struck.rule, random: streamOf(key) };
  }

  /** @param open connections that already stand @returns what befalls a new one, or `null` */
  onConnection(open: number): LineFaultKind | null {
    const request = this.#connections;
    this.#connections += 1;
    for (const entry of this.#entries) {
      const { kind, connections } = entry.rule;
      if (!isLineFault(kind) || (kind === 'max-connections' && open < connections)) continue;
      if (!this.#strikes(entry, null, request)) continue;
      this.#inject(entry, null, request);
      return kind;
    }
    return null;
  }

  /** What the line is dead by now, also for connections that stood before. */
  deadBy(): LineFaultKind | null {
    const kind = this.#lasting(null, isDeadLine)?.rule.kind;
    return kind !== undefined && isLineFault(kind) ? kind : null;
  }

  /** Whether this unit shows what it showed. */
  isStuck(unit: number | null): boolean {
    return this.#lasting(unit, ({ kind }) => kind === 'stuck') !== undefined;
  }

  add(unit: number | null, rule: FaultRule): FaultView {
    this.#rules += 1;
    const entry = new Entry(this.#rules, unit, rule, this.#clock.monotonicMs());
    this.#entries.push(entry);
    return this.#viewOf(entry);
  }

  /** @param id of one; `null` for all @returns how many there were */
  clear(id: number | null): number {
    const before = this.#entries.length;
    this.#entries = id === null ? [] : this.#entries.filter((entry) => entry.id !== id);
    return before - this.#entries.length;
  }

  list(): readonly FaultView[] {
    return this.#entries.map((entry) => this.#viewOf(entry));
  }

  /** Each unit has its own draws, so that a rule of the link does not strike all at once. */
  #strikes(entry: Entry, unit: number | null, request: number): boolean {
    if (!entry.isActive(this.#clock.monotonicMs())) return false;
    const key = ruleKey(this.#seed, `${this.#name}/${unit ?? ''}`, entry.id);
    return isDrawn(entry.rule, key, request);
  }

  /** From here on for as long as it lasts; told once. */
  #lasting(unit: number | null, wanted: (rule: FaultRule) => boolean): Entry | undefined {
    const now = this.#clock.monotonicMs();
    const entry = this.#entries.find(
      (candidate) => candidate.concerns(unit) && wanted(candidate.rule) && candidate.lastsAt(now),
    );
    if (entry && !entry.isTold) this.#inject(entry, unit, this.#answers.get(unit) ?? 0);
    return entry;
  }

  #inject(entry: Entry, unit: number | null, request: number): void {
    entry.count();
    const { site, link } = this.#place;
    const { kind } = entry.rule;
    const at = this.#clock.wallMs();
    this.#onInjected({ at, site, link, unit, kind, request, rule: entry.id });
  }

  #viewOf(entry: Entry): FaultView {
    const { id, unit, rule } = entry;
    const { site, link } = this.#place;
    const now = this.#clock.monotonicMs();
    return { id, site, link, unit, rule, active: entry.isActive(now), ...entry.stateAt(now) };
  }
}

/** What is to befall some connections only cannot befall all that stand. */
function isDeadLine({ kind, probability, count }: FaultRule): boolean {
  const dead = kind === 'half-open' || kind === 'refuse';
  return dead && probability === 1 && count === undefined;
}
