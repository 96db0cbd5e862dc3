/** A thing that changed; `order` grows with every change, and the newest one of a thing counts. */
export interface Changed<Kind extends string> {
  readonly kind: Kind;
  readonly id: string;
  readonly order: number;
}

/**
 * Remembers of everything when it last changed, so that whoever was away can be told what it
 * missed: as it is now, since events carry states and not differences. As large as the number of
 * things, however long somebody was away.
 */
export class ChangeLog<Kind extends string> {
  /** Oldest change first. */
  readonly #changes = new Map<string, Changed<Kind>>();
  #newest = 0;

  get newest(): number {
    return this.#newest;
  }

  note(kind: Kind, id: string): void {
    const place = `${kind}/${id}`;
    this.#newest += 1;
    this.#changes.delete(place);
    this.#changes.set(place, { kind, id, order: this.#newest });
  }

  /** What changed after `order`, oldest change first. */
  after(order: number): Changed<Kind>[] {
    return [...this.#changes.values()].filter((change) => change.order > order);
  }
}
