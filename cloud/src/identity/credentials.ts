import { sql, type Kysely } from 'kysely';
import { ID_PATTERN, type AgentId } from '#shared/ids.ts';
import type { Tables } from '../database/tables.ts';
import { done, refused, type Outcome } from '../stock/listing.ts';
import { hashOf, matches, newSecret } from './secrets.ts';

/** What an unknown agent's secret is compared with, so that an answer takes as long for it. */
const NOBODYS_HASH = hashOf(newSecret());

/**
 * Whether this is the agent's secret, or the one that was made to replace it: whose first use ends
 * the old one. An agent that is shut out has none.
 * @param agent as the client says, which may be anything
 */
export async function verifyAgent(
  db: Kysely<Tables>,
  agent: string,
  secret: string,
): Promise<boolean> {
  if (!ID_PATTERN.test(agent)) return false;
  const id = agent as AgentId;
  const row = await db
    .selectFrom('agent')
    .select(['secret_hash', 'next_secret_hash', 'disabled_ms'])
    .where('id', '=', id)
    .executeTakeFirst();
  const isCurrent = matches(secret, row?.secret_hash ?? NOBODYS_HASH);
  const isNext = matches(secret, row?.next_secret_hash ?? NOBODYS_HASH);
  if (row === undefined || row.disabled_ms !== null || !(isCurrent || isNext)) return false;
  if (isCurrent) return true;
  const hash = hashOf(secret);
  const renewed = await db
    .updateTable('agent')
    .set({ secret_hash: hash, next_secret_hash: null })
    .where('id', '=', id)
    .where('next_secret_hash', '=', hash)
    .where('disabled_ms', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return renewed !== undefined;
}

/** Whether an agent may connect by a certificate that is believed: it is known and not shut out. */
export async function mayConnect(db: Kysely<Tables>, agent: AgentId): Promise<boolean> {
  const row = await db
    .selectFrom('agent')
    .select('id')
    .where('id', '=', agent)
    .where('disabled_ms', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Makes an agent a new secret, which is not kept and cannot be shown again.
 * @param ends when the old one does: at the first use of the new one, so that nobody has to be
 *   quick at the site; or now, as where a stranger has it
 */
export async function renewSecret(
  db: Kysely<Tables>,
  id: AgentId,
  ends: 'at-first-use' | 'now',
): Promise<Outcome<{ readonly secret: string }, 'not-found'>> {
  const secret = newSecret();
  const hash = hashOf(secret);
  const change =
    ends === 'now' ? { secret_hash: hash, next_secret_hash: null } : { next_secret_hash: hash };
  const row = await db
    .updateTable('agent')
    .set(change)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst();
  return row === undefined ? refused('not-found') : done({ secret });
}

/** Shuts an agent out, or lets it in again; one that was shut out before stays so since then. */
export async function setDisabled(
  db: Kysely<Tables>,
  id: AgentId,
  disabledMs: number | null,
): Promise<Outcome<undefined, 'not-found'>> {
  const since =
    disabledMs === null ? null : sql<number>`coalesce(disabled_ms, ${disabledMs}::bigint)`;
  const row = await db
    .updateTable('agent')
    .set({ disabled_ms: since })
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst();
  return row === undefined ? refused('not-found') : done(undefined);
}
