import type { Kysely } from 'kysely';
import type { CustomerId } from '#shared/ids.ts';
import type { Tables } from '../database/tables.ts';
import { done, refused, type Listing, type Outcome } from './listing.ts';

export interface Customer {
  readonly id: CustomerId;
  readonly name: string;
}

export async function listCustomers(
  db: Kysely<Tables>,
  { after, limit }: Listing<CustomerId>,
): Promise<Customer[]> {
  const page = db.selectFrom('customer').selectAll().orderBy('id').limit(limit);
  return await (after === undefined ? page : page.where('id', '>', after)).execute();
}

export async function getCustomer(
  db: Kysely<Tables>,
  id: CustomerId,
): Promise<Customer | undefined> {
  return await db.selectFrom('customer').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function createCustomer(
  db: Kysely<Tables>,
  { id, name }: Customer,
): Promise<Outcome<Customer, 'exists'>> {
  const row = await db
    .insertInto('customer')
    .values({ id, name })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? refused('exists') : done(row);
}

export async function renameCustomer(
  db: Kysely<Tables>,
  id: CustomerId,
  name: string,
): Promise<Outcome<Customer, 'not-found'>> {
  const row = await db
    .updateTable('customer')
    .set({ name })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? refused('not-found') : done(row);
}
