import type { Kysely } from 'kysely';
import type { ProductId } from '#shared/ids.ts';
import type { QuantityUnit } from '#shared/units.ts';
import type { Row, Tables } from '../database/tables.ts';
import { done, refused, type Listing, type Outcome } from './listing.ts';

/** What is kept in bins. Its unit and mass never change: a different piece is another product. */
export interface Product {
  readonly id: ProductId;
  readonly name: string;
  readonly unit: QuantityUnit;
  /** Nominal mass of one piece, > 0; null for bulk products, and only for them. */
  readonly pieceMassMg: number | null;
}

export async function listProducts(
  db: Kysely<Tables>,
  { after, limit }: Listing<ProductId>,
): Promise<Product[]> {
  const page = db.selectFrom('product').selectAll().orderBy('id').limit(limit);
  const rows = await (after === undefined ? page : page.where('id', '>', after)).execute();
  return rows.map(productOf);
}

export async function getProduct(db: Kysely<Tables>, id: ProductId): Promise<Product | undefined> {
  const row = await db.selectFrom('product').selectAll().where('id', '=', id).executeTakeFirst();
  return row && productOf(row);
}

export async function createProduct(
  db: Kysely<Tables>,
  { id, name, unit, pieceMassMg }: Product,
): Promise<Outcome<Product, 'exists'>> {
  const row = await db
    .insertInto('product')
    .values({ id, name, unit, piece_mass_mg: pieceMassMg })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? refused('exists') : done(productOf(row));
}

export async function renameProduct(
  db: Kysely<Tables>,
  id: ProductId,
  name: string,
): Promise<Outcome<Product, 'not-found'>> {
  const row = await db
    .updateTable('product')
    .set({ name })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? refused('not-found') : done(productOf(row));
}

function productOf({ id, name, unit, piece_mass_mg }: Row<'product'>): Product {
  return { id, name, unit, pieceMassMg: piece_mass_mg };
}
