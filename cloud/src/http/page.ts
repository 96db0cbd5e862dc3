import { Refused } from './problem.ts';

/** Where a page ends: the sort key of its last item. Opaque to clients. */
function cursorOf(key: string | number): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/**
 * @param id the constructor of the list's ids
 * @returns the id after which the page begins; `undefined` for the first page
 * @throws Refused `invalid-cursor`
 */
export function idAfter<Id extends string>(
  cursor: string | undefined,
  id: (text: string) => Id,
): Id | undefined {
  if (cursor === undefined) return undefined;
  const key = keyOf(cursor);
  if (typeof key !== 'string') throw new Refused('invalid-cursor');
  try {
    return id(key);
  } catch (error) {
    if (error instanceof TypeError) throw new Refused('invalid-cursor');
    throw error;
  }
}

/** As {@link idAfter}, for lists sorted by a whole number. */
export function numberAfter(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const key = keyOf(cursor);
  if (typeof key !== 'number' || !Number.isSafeInteger(key)) throw new Refused('invalid-cursor');
  return key;
}

function keyOf(cursor: string): string | number | undefined {
  const key = parse(Buffer.from(cursor, 'base64url').toString());
  if (typeof key !== 'string' && typeof key !== 'number') return undefined;
  // Buffer passes over what is no base64url: only what we would write ourselves is taken.
  return cursorOf(key) === cursor ? key : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** @param items one more than `limit` where there are more */
export function pageFrom<T>(
  items: readonly T[],
  limit: number,
  key: (item: T) => string | number,
): { items: T[]; next: string | null } {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  const more = items.length > limit && last !== undefined;
  return { items: page, next: more ? cursorOf(key(last)) : null };
}
