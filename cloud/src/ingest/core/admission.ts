/**
 * What to do with a batch, given how far its outbox got:
 * `duplicate`: stored and folded before, only its receipt was missed;
 * `next`: the one that follows;
 * `ahead`: batches before it are still to come, so that it waits for being sent again;
 * `jump`: batches before it are lost, since the agent no longer holds them.
 */
export type Admission =
  | { readonly kind: 'duplicate' | 'next' | 'ahead' }
  | { readonly kind: 'jump'; readonly lost: number };

/**
 * @param upTo every batch of this outbox up to here is stored and folded; 0 where none is
 * @param batch its place in the outbox, and the oldest place the agent still holds
 */
export function admit(
  upTo: number,
  batch: { readonly seq: number; readonly oldest: number },
): Admission {
  if (batch.seq <= upTo) return { kind: 'duplicate' };
  if (batch.seq === upTo + 1) return { kind: 'next' };
  if (batch.seq > batch.oldest) return { kind: 'ahead' };
  return { kind: 'jump', lost: batch.seq - upTo - 1 };
}
