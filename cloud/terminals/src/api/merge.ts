import type { Listing } from './client.ts';

/**
 * A listing with newer items in place of older ones of the same id; unknown ones are appended.
 * @param newer whether the second may replace the first: events can arrive after a later answer
 */
export function mergeItems<Item>(
  listing: Listing<Item>,
  changed: readonly Item[],
  idOf: (item: Item) => string,
  newer: (old: Item, candidate: Item) => boolean,
): Listing<Item> {
  const byId = new Map(changed.map((item) => [idOf(item), item]));
  const items = listing.items.map((old) => {
    const candidate = byId.get(idOf(old));
    byId.delete(idOf(old));
    return candidate !== undefined && newer(old, candidate) ? candidate : old;
  });
  return { ...listing, items: [...items, ...byId.values()] };
}
