import { z } from 'zod';
import { ID_PATTERN } from '#shared/ids.ts';
import { pageQuerySchema } from './contract.ts';
import { Refused } from './problem.ts';
import type { Refusal } from './refusals.ts';

/** The path of one thing. */
export const ID_PATH = z.object({ id: z.string().regex(ID_PATTERN) });

/** Unknown parameters are refused: a filter that was misspelt would give too much unnoticed. */
export const PAGE_QUERY = pageQuerySchema.strict();

/** @throws Refused `not-found`: of what is another's, its existence is not told either */
export function found<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw new Refused('not-found', `There is no ${id}, or it is not yours`);
  return value;
}

/** @throws Refused with the reason of an outcome that is none */
export function granted<T>(
  outcome:
    { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: Refusal },
  id: string,
): T {
  if (outcome.ok) return outcome.value;
  if (outcome.reason === 'not-found') return found<T>(undefined, id);
  throw new Refused(outcome.reason);
}

/** An optional id of a query or body as what it is. */
export function ifGiven<Id extends string>(
  text: string | undefined,
  id: (text: string) => Id,
): Id | undefined {
  return text === undefined ? undefined : id(text);
}

/** A limit that is none. */
export const ALL = Number.MAX_SAFE_INTEGER;
