import { randomBytes } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { CustomerId } from '#shared/ids.ts';
import type { Row, Tables } from '../database/tables.ts';
import { getCustomer } from '../stock/customers.ts';
import { done, refused, type Listing, type Outcome } from '../stock/listing.ts';
import { hashOf, newSecret } from './secrets.ts';

export type Role = Row<'api_key'>['role'];

/** A key of the API, without its secret, which only its holder has. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Whose rows it may see: of keys of role `customer`, and only of them. */
  readonly customerId: CustomerId | null;
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

/** Lets people and scanners of repositories see what they have found. */
const KEY_PREFIX = 'off_';

export interface NewApiKey {
  readonly name: string;
  readonly role: Role;
  readonly customerId: CustomerId | null;
}

/** @returns also the key itself, which is not kept and cannot be shown again */
export async function createKey(
  db: Kysely<Tables>,
  { name, role, customerId }: NewApiKey,
  nowMs: number,
): Promise<Outcome<ApiKey & { readonly key: string }, 'unknown-customer'>> {
  if (customerId !== null && (await getCustomer(db, customerId)) === undefined) {
    return refused('unknown-customer');
  }
  const key = KEY_PREFIX + newSecret();
  const row = await db
    .insertInto('api_key')
    .values({
      id: randomBytes(8).toString('hex'),
      name,
      secret_hash: hashOf(key),
      role,
      customer_id: customerId,
      created_ms: nowMs,
      revoked_ms: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return done({ ...keyOf(row), key });
}

export async function listKeys(
  db: Kysely<Tables>,
  { after, limit }: Listing<string>,
): Promise<ApiKey[]> {
  const page = db.selectFrom('api_key').selectAll().orderBy('id').limit(limit);
  const rows = await (after === undefined ? page : page.where('id', '>', after)).execute();
  return rows.map(keyOf);
}

/** A key that was revoked before stays revoked since then. */
export async function revokeKey(
  db: Kysely<Tables>,
  id: string,
  nowMs: number,
): Promise<Outcome<ApiKey, 'not-found'>> {
  const row = await db
    .updateTable('api_key')
    .set({ revoked_ms: sql<number>`coalesce(revoked_ms, ${nowMs})` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? refused('not-found') : done(keyOf(row));
}

/**
 * The key is looked up by its hash: how long that takes tells at most something of the hash, from
 * which no key follows.
 * @returns the key's record, or `undefined` where it is unknown or revoked
 */
export async function verifyKey(db: Kysely<Tables>, key: string): Promise<ApiKey | undefined> {
  const row = await db
    .selectFrom('api_key')
    .selectAll()
    .where('secret_hash', '=', hashOf(key))
    .where('revoked_ms', 'is', null)
    .executeTakeFirst();
  return row && keyOf(row);
}

function keyOf(row: Row<'api_key'>): ApiKey {
  const { id, name, role, customer_id, created_ms, revoked_ms } = row;
  return { id, name, role, customerId: customer_id, createdAt: created_ms, revokedAt: revoked_ms };
}
