import type { BinId } from '#shared/ids.ts';
import type { FaultRule } from '../core/faults.ts';
import type { Display, Indicator, KeyOutcome } from '../core/indicator.ts';
import type { FaultView, LinkFaults } from '../faults/link-faults.ts';
import { impossibleRules, possibleKinds } from '../faults/section.ts';
import type { Link, Scale, Scenario, Site } from '../scenario/scenario.ts';
import type { FrameLog, FrameQuery, FrameView } from './frame-log.ts';

/** What a technician may do to the running simulation; page and command line offer the same. */
export interface Control {
  readonly scenario: string;
  links(): LinkView[];
  bins(): BinView[];
  /** Puts or takes goods; they enter the truth. @param quantity pieces or mg, at least 1 */
  act(bin: string, kind: 'put' | 'take', quantity: number): Outcome;
  press(bin: string, key: Key): Outcome;
  faults(): ControlledFault[];
  /** @param place `site/link`, or a link's name where only one site has it */
  inject(place: string, unit: number | null, rule: FaultRule): Outcome<ControlledFault>;
  /** @param id `null` for all @returns how many were cleared */
  clear(id: string | null): Outcome<number>;
  frames(query: FrameQuery): FrameView[];
}

export const KEYS = ['tare', 'zero', 'clear-tare'] as const;
export type Key = (typeof KEYS)[number];

export type Outcome<T = null> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: Refusal };
export type Refusal =
  | 'unknown-bin'
  | 'unknown-link'
  | 'unknown-unit'
  | 'unknown-fault'
  | 'impossible-fault'
  | 'not-enough'
  | 'motion'
  | 'over'
  | 'under';

export interface LinkView {
  readonly site: string;
  readonly link: string;
  readonly protocol: string;
  readonly port: number;
  readonly path: string | null;
  readonly units: readonly number[];
  /** The faults that can happen there. */
  readonly kinds: readonly string[];
}

export interface BinView {
  readonly bin: string;
  readonly name: string;
  readonly site: string;
  readonly link: string;
  readonly unit: number | null;
  readonly product: string;
  readonly quantityUnit: string;
  /** What really lies there. */
  readonly quantity: number;
  readonly massMg: number;
  /** Whether the indicator has power. */
  readonly isOn: boolean;
  /** What the indicator shows. */
  readonly display: Display;
  readonly divisionMg: number;
}

/** A fault with an id that is unlike that of any other link's. */
export type ControlledFault = Omit<FaultView, 'id'> & { readonly id: string };

export interface Controlled {
  readonly scenario: Scenario;
  readonly links: readonly Omit<LinkView, 'units' | 'kinds'>[];
  readonly faultsOf: (place: string) => LinkFaults | undefined;
  readonly frames: FrameLog;
  /** What clients of the link see. */
  readonly indicator: (scale: Scale) => Indicator;
  readonly world: {
    content(bin: BinId): { readonly quantity: number; readonly massMg: number };
    act(bin: BinId, deed: { kind: 'put' | 'take'; quantity: number }): void;
  };
}

/** A scale, and where in the scenario it stands. */
interface Place {
  readonly site: Site;
  readonly link: Link;
  readonly scale: Scale;
}

const done: Outcome = { ok: true, value: null };
const refused = (reason: Refusal): { ok: false; reason: Refusal } => ({ ok: false, reason });
const placeOf = (site: string, link: string): string => `${site}/${link}`;

export function createControl(controlled: Controlled): Control {
  const { scenario, frames } = controlled;
  const places: readonly Place[] = scenario.sites.flatMap((site) =>
    site.links.flatMap((link) => link.scales.map((scale) => ({ site, link, scale }))),
  );
  return {
    scenario: scenario.name,
    frames: (query) => frames.list(query),
    ...controlBins(controlled, places),
    ...controlLinks(controlled, places),
  };
}

function controlBins(
  controlled: Controlled,
  places: readonly Place[],
): Pick<Control, 'bins' | 'act' | 'press'> {
  const { scenario, indicator, world } = controlled;
  const products = new Map(scenario.products.map((product) => [product.id, product]));
  const scales = new Map<string, Scale>(places.map(({ scale }) => [scale.bin, scale]));
  const viewOf = ({ site, link, scale }: Place): BinView => {
    const { quantity, massMg } = world.content(scale.bin);
    const product = products.get(scale.product);
    const shown = indicator(scale);
    return {
      bin: scale.bin,
      name: scale.name,
      site: site.id,
      link: link.name,
      unit: 'unit' in scale ? scale.unit : null,
      product: product?.name ?? scale.product,
      quantityUnit: product?.unit ?? 'piece',
      quantity,
      massMg,
      isOn: shown.isOn(),
      display: shown.display(),
      divisionMg: scale.divisionMg,
    };
  };
  return {
    bins: () => places.map(viewOf),
    act(bin, kind, quantity) {
      const scale = scales.get(bin);
      if (!scale) return refused('unknown-bin');
      if (kind === 'take' && world.content(scale.bin).quantity < quantity) {
        return refused('not-enough');
      }
      world.act(scale.bin, { kind, quantity });
      return done;
    },
    press(bin, key) {
      const scale = scales.get(bin);
      if (!scale) return refused('unknown-bin');
      const outcome = pressed(indicator(scale), key);
      return outcome === 'done' ? done : refused(outcome);
    },
  };
}

function controlLinks(
  { links, faultsOf }: Controlled,
  places: readonly Place[],
): Pick<Control, 'links' | 'faults' | 'inject' | 'clear'> {
  const unitsAt = (at: string): number[] =>
    places.flatMap(({ site, link, scale }) =>
      placeOf(site.id, link.name) === at && 'unit' in scale ? [scale.unit] : [],
    );
  const named = links.map((link) => ({ at: placeOf(link.site, link.link), link }));
  return {
    links: () =>
      named.map(({ at, link }) => ({
        ...link,
        units: unitsAt(at),
        kinds: possibleKinds(link.protocol),
      })),
    faults: () => named.flatMap(({ at }) => (faultsOf(at)?.list() ?? []).map(withPlace)),
    inject(name, unit, rule) {
      const found = named.filter(({ at, link }) => at === name || link.link === name);
      const [only] = found;
      const faults = only && found.length === 1 && faultsOf(only.at);
      if (!only || !faults) return refused('unknown-link');
      if (unit !== null && !unitsAt(only.at).includes(unit)) return refused('unknown-unit');
      if (impossibleRules(only.link.protocol, [rule]).length > 0) {
        return refused('impossible-fault');
      }
      return { ok: true, value: withPlace(faults.add(unit, rule)) };
    },
    clear(id) {
      if (id === null) {
        const cleared = named.map(({ at }) => faultsOf(at)?.clear(null) ?? 0);
        return { ok: true, value: cleared.reduce((sum, count) => sum + count, 0) };
      }
      const [, at = '', number = ''] = /^(.*)#(\d+)$/.exec(id) ?? [];
      const count = faultsOf(at)?.clear(Number(number)) ?? 0;
      return count === 0 ? refused('unknown-fault') : { ok: true, value: count };
    },
  };
}

function withPlace(view: FaultView): ControlledFault {
  return { ...view, id: `${view.site}/${view.link}#${view.id}` };
}

function pressed(indicator: Indicator, key: Key): KeyOutcome {
  if (key === 'tare') return indicator.tare();
  if (key === 'zero') return indicator.zero();
  indicator.clearTare();
  return 'done';
}
