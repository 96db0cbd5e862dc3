/** Lists are sorted by id; a page is what comes after an id. */
export interface Listing<Id extends string> {
  readonly after?: Id | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** What a change of master data comes to. */
export type Outcome<T, Reason extends string> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: Reason };

export function done<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function refused<Reason extends string>(
  reason: Reason,
): { readonly ok: false; readonly reason: Reason } {
  return { ok: false, reason };
}
