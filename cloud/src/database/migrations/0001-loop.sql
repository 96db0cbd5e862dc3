-- The whole loop: master data, what agents sent, the ledger of movements and its rollups.
-- Times are bigint milliseconds since 1970 UTC; quantities are integers, pieces or milligrams.

create table customer (
  id text primary key,
  name text not null
);

-- A site without a customer is the supplier's own.
create table site (
  id text primary key,
  customer_id text references customer,
  name text not null,
  time_zone text not null
);
create index site_customer on site (customer_id);

create table product (
  id text primary key,
  name text not null,
  unit text not null check (unit in ('piece', 'mg')),
  piece_mass_mg bigint check (piece_mass_mg > 0),
  check ((unit = 'piece') = (piece_mass_mg is not null))
);

create table bin (
  id text primary key,
  site_id text not null references site,
  name text not null,
  capacity_mg bigint not null check (capacity_mg > 0)
);
create index bin_site on bin (site_id);

-- What a bin held from when on; dated, since it decides how its readings are understood.
create table bin_setup (
  bin_id text not null references bin,
  from_ms bigint not null,
  product_id text not null references product,
  tare_mg bigint not null,
  -- Copied at the time, so that a later change of the product restates nothing by itself.
  piece_mass_mg bigint,
  primary key (bin_id, from_ms)
);

create table agent (
  id text primary key,
  site_id text not null references site,
  secret_hash text not null,
  created_ms bigint not null
);
create index agent_site on agent (site_id);

create table agent_status (
  agent_id text primary key references agent,
  online boolean not null,
  session text not null,
  at_ms bigint not null,
  body jsonb not null
);

-- Keys are shown once and stored hashed.
create table api_key (
  id text primary key,
  name text not null,
  secret_hash text not null unique,
  role text not null check (role in ('supplier', 'customer', 'technician')),
  customer_id text references customer,
  created_ms bigint not null,
  revoked_ms bigint,
  check ((role = 'customer') = (customer_id is not null))
);

-- Every batch up to seq of this outbox is stored and folded.
create table cursor (
  agent_id text not null references agent,
  epoch text not null,
  seq bigint not null,
  at_ms bigint not null,
  primary key (agent_id, epoch)
);

-- Messages and rows that could not be taken, kept as they came.
create table quarantine (
  id bigint generated always as identity primary key,
  agent_id text not null,
  received_ms bigint not null,
  epoch text,
  seq bigint,
  row_index integer,
  reason text not null,
  payload bytea not null,
  digest text not null,
  times integer not null default 1,
  unique (agent_id, digest)
);

create table gap (
  bin_id text not null references bin,
  from_ms bigint not null,
  to_ms bigint not null,
  count bigint not null,
  why text not null,
  primary key (bin_id, from_ms, to_ms, why)
);

-- The fold's state after the reading at at_ms; a cache that can be rebuilt from the readings.
create table fold_checkpoint (
  bin_id text not null references bin,
  at_ms bigint not null,
  state text not null,
  primary key (bin_id, at_ms)
);

-- The ledger. quantity is the change of stock, so that opening + sum(quantity) = closing.
create table movement (
  bin_id text not null references bin,
  ordinal bigint not null,
  -- Which telling of the bin's history; restating it supersedes rows and adds a revision.
  revision integer not null,
  product_id text not null references product,
  -- The change happened after from_ms and by at_ms.
  from_ms bigint not null,
  at_ms bigint not null,
  kind text not null check (kind in ('consumption', 'refill', 'unexplained', 'adjustment')),
  quantity bigint not null,
  low bigint not null,
  high bigint not null,
  mass_mg bigint not null,
  confidence_ppm integer not null,
  closing bigint not null,
  superseded_ms bigint,
  primary key (bin_id, ordinal, revision)
);
create index movement_time on movement (bin_id, at_ms) where superseded_ms is null;

-- Why and when a bin's history was told anew, and what it changed; amounts are positive.
create table restatement (
  id bigint generated always as identity primary key,
  bin_id text not null references bin,
  revision integer not null,
  at_ms bigint not null,
  from_ms bigint not null,
  cause text not null check (cause in ('late-data', 'setup-changed', 'recomputed')),
  consumed_before bigint not null,
  consumed_after bigint not null,
  refilled_before bigint not null,
  refilled_after bigint not null
);

-- Sums of 15 minutes from bucket_ms; any period, place and product is a sum of these.
create table rollup (
  bin_id text not null references bin,
  bucket_ms bigint not null,
  product_id text not null references product,
  consumed bigint not null,
  refilled bigint not null,
  unexplained bigint not null,
  adjusted bigint not null,
  -- Time in which consumption could have been seen: a working scale and a bin that is not empty.
  exposure_ms bigint not null,
  closing bigint,
  primary key (bin_id, bucket_ms, product_id)
);
create index rollup_time on rollup (bucket_ms);

-- Stock of a bin, written when it changes; how fresh it is, the newest reading tells.
create table bin_stock (
  bin_id text primary key references bin,
  product_id text not null references product,
  at_ms bigint not null,
  quantity bigint not null,
  mass_mg bigint not null,
  quality text not null
);

-- Row scoping: the API reads as this role; a supplier's session sees all, a customer's its own.
-- Products are not scoped: a product's name and weight stand on the bin's label.
create role offtake_reader nologin;
grant select on customer, site, product, bin, bin_setup, agent_status, cursor, gap, movement,
  restatement, rollup, bin_stock to offtake_reader;
grant select (id, site_id, created_ms) on agent to offtake_reader;

-- '*', a customer's id, or null, which sees nothing.
create function offtake_scope() returns text language sql stable
  as $$ select nullif(current_setting('offtake.customer', true), '') $$;

create policy own_rows on customer for select to offtake_reader
  using ((select offtake_scope()) = '*' or id = (select offtake_scope()));
create policy own_rows on site for select to offtake_reader
  using ((select offtake_scope()) = '*' or customer_id = (select offtake_scope()));

-- The subqueries below run as the reader too, and so see no more than the policies above allow.
do $$
declare scoped text;
begin
  foreach scoped in array array['bin', 'agent']
  loop
    execute format('create policy own_rows on %I for select to offtake_reader
      using ((select offtake_scope()) = ''*'' or site_id in (select id from site))', scoped);
  end loop;
  foreach scoped in array array['agent_status', 'cursor']
  loop
    execute format('create policy own_rows on %I for select to offtake_reader
      using ((select offtake_scope()) = ''*'' or agent_id in (select id from agent))', scoped);
  end loop;
  foreach scoped in array array['bin_setup', 'gap', 'movement', 'restatement', 'rollup',
    'bin_stock']
  loop
    execute format('create policy own_rows on %I for select to offtake_reader
      using ((select offtake_scope()) = ''*'' or bin_id in (select id from bin))', scoped);
  end loop;
  -- All else runs as the tables' owner, whom forced policies bind as well. Without a policy of
  -- its own, the reader sees nothing of api_key, quarantine and fold_checkpoint.
  foreach scoped in array array['customer', 'site', 'bin', 'bin_setup', 'agent', 'agent_status',
    'api_key', 'cursor', 'quarantine', 'gap', 'fold_checkpoint', 'movement', 'restatement',
    'rollup', 'bin_stock']
  loop
    execute format('alter table %I enable row level security', scoped);
    execute format('alter table %I force row level security', scoped);
    execute format('create policy owner_all on %I to current_user using (true) with check (true)',
      scoped);
  end loop;
end $$;
