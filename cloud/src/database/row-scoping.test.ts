import { sql, type Kysely, type Transaction } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  agentId,
  binId,
  customerId,
  epoch,
  productId,
  siteId,
  type CustomerId,
} from '#shared/ids.ts';
import { openTestDatabase, type TestDatabase } from '../../test/database.ts';
import type { Scope } from './database.ts';
import type { Tables } from './tables.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
  await test.database.transaction(async (tx) => {
    await tx
      .insertInto('product')
      .values(
        ['screw', 'in-nobodys-bin'].map((id) => {
          return { id: productId(id), name: id, unit: 'piece' as const, piece_mass_mg: 1 };
        }),
      )
      .execute();
    await fill(tx, 'acme', customerId('acme'));
    await fill(tx, 'bolt', customerId('bolt'));
    await fill(tx, 'own', null);
  });
});
afterAll(() => test.close());

/** One row in every table, reached from a customer through `name`-1 and so on. */
async function fill(
  tx: Transaction<Tables>,
  name: string,
  customer: CustomerId | null,
): Promise<void> {
  const [site, bin, agent, product] = [
    siteId(name),
    binId(name),
    agentId(name),
    productId('screw'),
  ];
  const at = { bin_id: bin, at_ms: 1 };
  if (customer !== null) await tx.insertInto('customer').values({ id: customer, name }).execute();
  const zone = { time_zone: 'UTC' };
  await tx
    .insertInto('site')
    .values({ id: site, customer_id: customer, name, ...zone })
    .execute();
  await tx.insertInto('bin').values({ id: bin, site_id: site, name, capacity_mg: 1 }).execute();
  const setup = { product_id: product, tare_mg: 0, piece_mass_mg: 1 };
  await tx
    .insertInto('bin_setup')
    .values({ bin_id: bin, from_ms: 0, ...setup })
    .execute();
  const secret = { secret_hash: name, created_ms: 1 };
  await tx
    .insertInto('agent')
    .values({ id: agent, site_id: site, ...secret })
    .execute();
  const status = { online: true, session: 's', at_ms: 1, body: '{}' };
  await tx
    .insertInto('agent_status')
    .values({ agent_id: agent, ...status })
    .execute();
  const role = customer === null ? ('supplier' as const) : ('customer' as const);
  await tx
    .insertInto('api_key')
    .values({ id: name, name, role, customer_id: customer, ...secret, revoked_ms: null })
    .execute();
  const wanted = { version: 1, author_key: name, author: name, note: '' };
  await tx
    .insertInto('agent_configuration')
    .values({ agent_id: agent, ...wanted, config: '{}', at_ms: 1 })
    .execute();
  const report = { version: 1, state: 'applied' as const, in_force: 1, problems: '[]' };
  await tx
    .insertInto('agent_configuration_report')
    .values({ agent_id: agent, ...report, at_ms: 1, received_ms: 1, reason: null })
    .execute();
  const batch = { agent_id: agent, epoch: epoch('e'), seq: 1 };
  await tx
    .insertInto('cursor')
    .values({ ...batch, at_ms: 1 })
    .execute();
  const bad = { received_ms: 1, row_index: null, reason: 'r', payload: new Uint8Array(1) };
  await tx
    .insertInto('quarantine')
    .values({ ...batch, ...bad, digest: 'd' })
    .execute();
  const gap = { from_ms: 1, to_ms: 2, count: 0, why: 'dropped' as const };
  await tx
    .insertInto('gap')
    .values({ bin_id: bin, ...gap })
    .execute();
  await tx
    .insertInto('fold_checkpoint')
    .values({ ...at, state: '{}' })
    .execute();
  const amounts = { quantity: 1, low: 1, high: 1, mass_mg: 1, confidence_ppm: 1, closing: 1 };
  await tx
    .insertInto('movement')
    .values({
      ...at,
      ...amounts,
      ordinal: 1,
      revision: 1,
      product_id: product,
      from_ms: 0,
      kind: 'refill',
      superseded_ms: null,
    })
    .execute();
  const change = { consumed_before: 0, consumed_after: 0, refilled_before: 0, refilled_after: 0 };
  await tx
    .insertInto('restatement')
    .values({ ...at, ...change, revision: 1, from_ms: 0, cause: 'late-data' })
    .execute();
  const sums = {
    consumed: 0,
    refilled: 0,
    unexplained: 0,
    adjusted: 0,
    exposure_ms: 0,
    closing: 0,
  };
  await tx
    .insertInto('rollup')
    .values({ bin_id: bin, bucket_ms: 0, product_id: product, ...sums })
    .execute();
  await tx
    .insertInto('bin_stock')
    .values({ ...at, product_id: product, quantity: 1, mass_mg: 1, quality: 'good' })
    .execute();
}

/** Without rows of customers: the owner's only. */
const UNSCOPED = new Set(['migration']);

interface TableSecurity {
  readonly name: string;
  /** Enabled and forced. */
  readonly secured: boolean;
  readonly policies: number;
  readonly readable: boolean;
}

async function tableSecurity(on: Kysely<Tables>): Promise<TableSecurity[]> {
  const { rows } = await sql<TableSecurity>`
    select relname as name, relrowsecurity and relforcerowsecurity as secured,
      (select count(*)::int from pg_policy where polrelid = pg_class.oid) as policies,
      has_any_column_privilege('offtake_reader', pg_class.oid, 'select') as readable
    from pg_class where relkind in ('r', 'p', 'v', 'm') and relnamespace = 'public'::regnamespace
    order by relname`.execute(on);
  return rows;
}

function unsecured(tables: readonly TableSecurity[]): string[] {
  return tables
    .filter(({ name }) => !UNSCOPED.has(name))
    .filter(({ secured, policies }) => !secured || policies === 0)
    .map(({ name }) => name);
}

/** How many rows of each readable table `scope` sees. */
async function visible(scope: Scope): Promise<Record<string, number>> {
  const tables = (await tableSecurity(test.database.sql)).filter(({ readable }) => readable);
  return await test.database.scoped(scope, async (tx) => {
    const counts: Record<string, number> = {};
    for (const { name } of tables) {
      const { rows } = await sql<{ count: number }>`
        select count(*)::int as count from ${sql.table(name)}`.execute(tx);
      counts[name] = rows[0]?.count ?? -1;
    }
    return counts;
  });
}

const SCOPED_TABLES = [
  'agent',
  'agent_configuration',
  'agent_configuration_report',
  'agent_status',
  'bin',
  'bin_setup',
  'bin_stock',
  'cursor',
  'customer',
  'gap',
  'movement',
  'restatement',
  'rollup',
  'site',
];
const each = (count: number) => Object.fromEntries(SCOPED_TABLES.map((name) => [name, count]));

it('has forced row policies on every table of the schema', async () => {
  const tables = await tableSecurity(test.database.sql);
  expect(tables.length).toBeGreaterThan(SCOPED_TABLES.length);
  expect(unsecured(tables)).toEqual([]);
});

it('would notice a table without policies, and one whose policies are not forced', async () => {
  const found = test.database.transaction(async (tx) => {
    await sql`create table order_line (bin_id text references bin)`.execute(tx);
    await sql`alter table movement no force row level security`.execute(tx);
    throw new Error(unsecured(await tableSecurity(tx)).join(' '));
  });
  await expect(found).rejects.toThrow('movement order_line');
});

it("shows a customer the rows of its own and never another's", async () => {
  expect(await visible(customerId('acme'))).toEqual({ ...each(1), product: 1 });
  const seen = await test.database.scoped(customerId('acme'), (tx) =>
    tx
      .selectFrom('bin')
      .innerJoin('site', 'site.id', 'bin.site_id')
      .innerJoin('movement', 'movement.bin_id', 'bin.id')
      .select(['site.customer_id', 'movement.bin_id'])
      .execute(),
  );
  expect(seen).toEqual([{ customer_id: 'acme', bin_id: 'acme' }]);
});

it("shows the supplier all, its own sites' included", async () => {
  expect(await visible('*')).toEqual({ ...each(3), customer: 2, product: 2 });
});

it('shows nothing to a customer without sites, and to a reader without scope', async () => {
  expect(await visible(customerId('nobody'))).toEqual({ ...each(0), product: 0 });
  expect(await visible('' as CustomerId)).toEqual({ ...each(0), product: 0 });
});

it('would notice a policy that lets everyone in', async () => {
  const { sql: owner } = test.database;
  await sql`create policy careless on rollup for select to offtake_reader using (true)`.execute(
    owner,
  );
  expect(await visible(customerId('acme'))).toMatchObject({ rollup: 3, movement: 1 });
  await sql`drop policy careless on rollup`.execute(owner);
});

it.each(['api_key', 'quarantine', 'quarantine_dropped', 'fold_checkpoint', 'migration'])(
  'keeps every reader out of %s',
  async (table) => {
    const read = test.database.scoped('*', (tx) =>
      sql`select * from ${sql.table(table)}`.execute(tx),
    );
    await expect(read).rejects.toThrow(/permission denied/);
  },
);

it("keeps agents' secrets from every reader", async () => {
  const read = test.database.scoped('*', (tx) =>
    tx.selectFrom('agent').select('secret_hash').execute(),
  );
  await expect(read).rejects.toThrow(/permission denied/);
});
