import type { ConsumptionQuery } from '../../../src/http/contract.ts';
import type { TerminalKind } from '../frame/terminal-kind.ts';
import type { Place, Query } from '../routing/place.ts';
import { PRESETS, type ChartStep, type Period, type PeriodChoice } from '../time/period.ts';
import { DAY_MS, QUANTITY_UNITS, type QuantityUnit } from '#shared/units.ts';

export const BREAKDOWNS = ['product', 'customer', 'site', 'bin'] as const;
export type Breakdown = (typeof BREAKDOWNS)[number];

/** What of consumption somebody looks at; it lives in the place, so that it can be linked. */
export interface ConsumptionChoice {
  readonly period: PeriodChoice;
  readonly by: Breakdown;
  /** undefined: what suits the period. */
  readonly step: ChartStep | undefined;
  readonly unit: QuantityUnit | undefined;
  readonly customerId: string | undefined;
  readonly siteId: string | undefined;
  readonly productId: string | undefined;
}

const oneOf = <T extends string>(of: readonly T[], text: string | undefined): T | undefined =>
  of.find((value) => value === text);

export function choiceOf({ query }: Place): ConsumptionChoice {
  return {
    period: {
      preset: oneOf(PRESETS, query['period']) ?? '7-days',
      first: query['first'],
      last: query['last'],
    },
    by: oneOf(BREAKDOWNS, query['by']) ?? 'product',
    step: oneOf(['hour', 'day'] as const, query['step']),
    unit: oneOf(QUANTITY_UNITS, query['unit']),
    customerId: query['customerId'],
    siteId: query['siteId'],
    productId: query['productId'],
  };
}

/** A customer's own terminal need not be broken down by customer. */
export const breakdownsOf = (kind: TerminalKind): readonly Breakdown[] =>
  kind === 'company' ? BREAKDOWNS : BREAKDOWNS.filter((by) => by !== 'customer');

/** Hours for up to two days, days beyond. */
export const stepFor = (choice: ConsumptionChoice, { from, to }: Period): ChartStep =>
  choice.step ?? (to - from <= 2 * DAY_MS ? 'hour' : 'day');

export function filterOf(
  choice: ConsumptionChoice,
): Pick<Partial<ConsumptionQuery>, 'customerId' | 'siteId' | 'productId'> {
  const { customerId, siteId, productId } = choice;
  return {
    ...(customerId !== undefined && { customerId }),
    ...(siteId !== undefined && { siteId }),
    ...(productId !== undefined && { productId }),
  };
}

/**
 * One level further down from a row of the breakdown.
 * @returns the change of the place's query; null where the next level is the bin's own page
 */
export function drillInto(by: Breakdown, key: string, kind: TerminalKind): Query | null {
  if (by === 'product') return { productId: key, by: kind === 'company' ? 'customer' : 'site' };
  if (by === 'customer') return { customerId: key, siteId: undefined, by: 'site' };
  if (by === 'site') return { siteId: key, by: 'bin' };
  return null;
}
