import type { BinId } from '#shared/ids.ts';
import type { FaultRule } from '../core/faults.ts';
import type { Display, Indicator, KeyOutcome } from '../core/indicator.ts';
import type { FaultView, LinkFaults } from '../faults/link-faults.ts';
import { impossibleRules, possibleKinds } from '../faults/section.ts';
import type { Scale, Scenario } from '../scenario/scenario.ts';
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
  readonly content: (bin: BinId) => { readonly quantity: number; readonly massMg: number };
  readonly act: (bin: BinId, deed: { kind: 'put' | 'take'; quantity: number }) => void;
}

const done: Outcome = { ok: true, value: null };
const refused = (reason: Refusal): { ok: false; reason: Refusal } => ({ ok: false, reason });
const placeOf = (site: string, link: string): string => `${site}/${link}`;

export function createControl(controlled: Controlled): Control {
  const { scenario, links, faultsOf, frames } = controlled;
  const products = new Map(scenario.products.map((product) => [product.id, product]));
  const places = scenario.sites.flatMap((site) =>
    site.links.flatMap((link) => link.scales.map((scale) => ({ site, link, scale }))),
  );
  const byBin = new Map<string, (typeof places)[number]>(
    places.map((place) => [place.scale.bin, place]),
  );
  const unitsAt = (site: string, link: string): number[] =>
    places.flatMap((place) =>
      place.site.id === site && place.link.name === link && 'unit' in place.scale
        ? [place.scale.unit]
        : [],
    );

  return {
    scenario: scenario.name,
    links: () =>
      links.map((link) => ({
        ...link,
        units: unitsAt(link.site, link.link),
        kinds: possibleKinds(link.protocol),
      })),
    bins: () =>
      places.map(({ site, link, scale }) => {
        const { quantity, massMg } = controlled.content(scale.bin);
        const product = products.get(scale.product);
        const indicator = controlled.indicator(scale);
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
          isOn: indicator.isOn(),
          display: indicator.display(),
          divisionMg: scale.divisionMg,
        };
      }),
    act(bin, kind, quantity) {
      const place = byBin.get(bin);
      if (!place) return refused('unknown-bin');
      if (kind === 'take' && controlled.content(place.scale.bin).quantity < quantity) {
        return refused('not-enough');
      }
      controlled.act(place.scale.bin, { kind, quantity });
      return done;
    },
    press(bin, key) {
      const place = byBin.get(bin);
      if (!place) return refused('unknown-bin');
      const outcome = pressed(controlled.indicator(place.scale), key);
      return outcome === 'done' ? done : refused(outcome);
    },
    faults: () =>
      links.flatMap(({ site, link }) => {
        const views = faultsOf(placeOf(site, link))?.list() ?? [];
        return views.map((view) => withPlace(view));
      }),
    inject(name, unit, rule) {
      const found = links.filter(({ site, link }) => placeOf(site, link) === name || link === name);
      const [link] = found;
      const faults = link && found.length === 1 && faultsOf(placeOf(link.site, link.link));
      if (!link || !faults) return refused('unknown-link');
      if (unit !== null && !unitsAt(link.site, link.link).includes(unit)) {
        return refused('unknown-unit');
      }
      if (impossibleRules(link.protocol, [rule]).length > 0) return refused('impossible-fault');
      return { ok: true, value: withPlace(faults.add(unit, rule)) };
    },
    clear(id) {
      if (id === null) {
        const cleared = links.map(
          ({ site, link }) => faultsOf(placeOf(site, link))?.clear(null) ?? 0,
        );
        return { ok: true, value: cleared.reduce((sum, count) => sum + count, 0) };
      }
      const [, place = '', number = ''] = /^(.*)#(\d+)$/.exec(id) ?? [];
      const count = faultsOf(place)?.clear(Number(number)) ?? 0;
      return count === 0 ? refused('unknown-fault') : { ok: true, value: count };
    },
    frames: (query) => frames.list(query),
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
