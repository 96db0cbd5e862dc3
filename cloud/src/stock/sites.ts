import type { Kysely } from 'kysely';
import type { CustomerId, SiteId } from '#shared/ids.ts';
import type { Row, Tables } from '../database/tables.ts';
import { getCustomer } from './customers.ts';
import { done, refused, type Listing, type Outcome } from './listing.ts';

export interface Site {
  readonly id: SiteId;
  readonly name: string;
  /** null for the supplier's own; never changes, since a ledger stays with whom it was kept for */
  readonly customerId: CustomerId | null;
  /** IANA name, as the caller checked it. */
  readonly timeZone: string;
}

export async function listSites(
  db: Kysely<Tables>,
  { after, limit }: Listing<SiteId>,
): Promise<Site[]> {
  const page = db.selectFrom('site').selectAll().orderBy('id').limit(limit);
  const rows = await (after === undefined ? page : page.where('id', '>', after)).execute();
  return rows.map(siteOf);
}

export async function getSite(db: Kysely<Tables>, id: SiteId): Promise<Site | undefined> {
  const row = await db.selectFrom('site').selectAll().where('id', '=', id).executeTakeFirst();
  return row && siteOf(row);
}

export async function createSite(
  db: Kysely<Tables>,
  { id, name, customerId, timeZone }: Site,
): Promise<Outcome<Site, 'exists' | 'unknown-customer'>> {
  if (customerId !== null && (await getCustomer(db, customerId)) === undefined) {
    return refused('unknown-customer');
  }
  const row = await db
    .insertInto('site')
    .values({ id, name, customer_id: customerId, time_zone: timeZone })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? refused('exists') : done(siteOf(row));
}

export interface SiteChange {
  readonly name?: string | undefined;
  readonly timeZone?: string | undefined;
}

export async function changeSite(
  db: Kysely<Tables>,
  id: SiteId,
  { name, timeZone }: SiteChange,
): Promise<Outcome<Site, 'not-found'>> {
  const site = await getSite(db, id);
  if (site === undefined) return refused('not-found');
  const row = await db
    .updateTable('site')
    .set({ name: name ?? site.name, time_zone: timeZone ?? site.timeZone })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return done(siteOf(row));
}

function siteOf({ id, name, customer_id, time_zone }: Row<'site'>): Site {
  return { id, name, customerId: customer_id, timeZone: time_zone };
}
