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

/** The faults of one link, decided by seed, device and number of the request alone. */
export interface LinkFaults {
  readonly framing: Framing;
  /** @returns what befalls the next answer of this unit, or `null` */
  onAnswer(unit: number | null): Strike | null;
  /** @param open connections that already stand @returns what befalls a new one, or `null` */
  onConnection(open: number): LineFaultKind | null;
  /** What the line is dead by now, also for connections that stood before. */
  deadBy(): LineFaultKind | null;
  /** Whether this unit shows what it showed. */
  isStuck(unit: number | null): boolean;
  add(unit: number | null, rule: FaultRule): FaultView;
  /** @param id of one; `null` for all @returns how many there were */
  clear(id: number | null): number;
  list(): readonly FaultView[];
}

interface Entry {
  readonly id: number;
  readonly unit: number | null;
  readonly rule: FaultRule;
  readonly key: number;
  readonly since: number;
  injected: number;
}

export interface FaultyPlace {
  readonly site: string;
  readonly link: string;
  readonly framing: Framing;
  /** Of each byte only seven bits say something; absent: all do. */
  readonly isSevenBits?: boolean;
}

export function createLinkFaults(options: {
  readonly place: FaultyPlace;
  readonly seed: number;
  readonly clock: Clock;
  readonly onInjected: (injection: Injection) => void;
}): LinkFaults {
  const { place, seed, clock, onInjected } = options;
  const name = `${place.site}/${place.link}`;
  const answers = new Map<number | null, number>();
  let entries: Entry[] = [];
  let connections = 0;
  let rules = 0;

  const stateOf = (entry: Entry): RuleState => ({
    elapsedMs: clock.monotonicMs() - entry.since,
    injected: entry.injected,
  });
  const active = (entry: Entry): boolean => isActive(entry.rule, stateOf(entry));
  const viewOf = (entry: Entry): FaultView => {
    const { id, unit, rule } = entry;
    const { site, link } = place;
    return { id, site, link, unit, rule, active: active(entry), ...stateOf(entry) };
  };

  function inject(entry: Entry, unit: number | null, request: number): void {
    entry.injected += 1;
    const { site, link } = place;
    const { kind } = entry.rule;
    onInjected({ at: clock.wallMs(), site, link, unit, kind, request, rule: entry.id });
  }

  function onAnswer(unit: number | null): Strike | null {
    const request = answers.get(unit) ?? 0;
    answers.set(unit, request + 1);
    for (const entry of entries) {
      const { kind } = entry.rule;
      if (isLineFault(kind) || kind === 'stuck') continue;
      if (entry.unit !== null && entry.unit !== unit) continue;
      if (!active(entry) || !isDrawn(entry.rule, entry.key, request)) continue;
      inject(entry, unit, request);
      const key = keyOf(seed, name, String(unit), String(entry.id), String(request));
      return { rule: entry.rule, random: streamOf(key) };
    }
    return null;
  }

  function onConnection(open: number): LineFaultKind | null {
    const request = connections;
    connections += 1;
    for (const entry of entries) {
      const { kind } = entry.rule;
      if (!isLineFault(kind) || !active(entry)) continue;
      if (kind === 'max-connections' && open < entry.rule.connections) continue;
      if (!isDrawn(entry.rule, entry.key, request)) continue;
      inject(entry, null, request);
      return kind;
    }
    return null;
  }

  /** From here on for as long as it lasts; told once. */
  function lasting(unit: number | null, wanted: (rule: FaultRule) => boolean): Entry | undefined {
    const entry = entries.find(
      (candidate) =>
        (candidate.unit === null || candidate.unit === unit) &&
        wanted(candidate.rule) &&
        isActive(candidate.rule, { ...stateOf(candidate), injected: 0 }),
    );
    if (entry?.injected === 0) inject(entry, unit, answers.get(unit) ?? 0);
    return entry;
  }

  return {
    framing: place.framing,
    onAnswer,
    onConnection,
    deadBy() {
      const kind = lasting(null, isDeadLine)?.rule.kind;
      return kind !== undefined && isLineFault(kind) ? kind : null;
    },
    isStuck: (unit) => lasting(unit, ({ kind }) => kind === 'stuck') !== undefined,
    add(unit, rule) {
      rules += 1;
      const key = ruleKey(seed, `${name}/${unit ?? ''}`, rules);
      const since = clock.monotonicMs();
      const entry = { id: rules, unit, rule, key, since, injected: 0 };
      entries.push(entry);
      return viewOf(entry);
    },
    clear(id) {
      const before = entries.length;
      entries = id === null ? [] : entries.filter((entry) => entry.id !== id);
      return before - entries.length;
    },
    list: () => entries.map(viewOf),
  };
}

/** What is to befall some connections only cannot befall all that stand. */
function isDeadLine({ kind, probability, count }: FaultRule): boolean {
  const dead = kind === 'half-open' || kind === 'refuse';
  return dead && probability === 1 && count === undefined;
}
