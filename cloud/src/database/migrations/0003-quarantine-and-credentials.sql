-- Quarantine within bounds and to be replayed; secrets to be renewed and agents shut out; products
-- that a customer has no bin of are not shown to it.

-- What a reason is about, without the names and figures in it: few kinds, whatever is sent.
alter table quarantine
  add column kind text not null generated always as
    (left(regexp_replace(split_part(reason, ':', 1), '[0-9]+', '#', 'g'), 60)) stored,
  add column bytes integer not null generated always as (octet_length(payload)) stored;
create index quarantine_kind on quarantine (agent_id, kind, id) include (bytes);

-- What had to leave the quarantine, for want of room.
create table quarantine_dropped (
  agent_id text not null,
  kind text not null,
  count bigint not null,
  bytes bigint not null,
  -- When the oldest and the newest of them were received.
  from_ms bigint not null,
  to_ms bigint not null,
  primary key (agent_id, kind)
);

-- A renewed secret stands beside the old one until it is first used.
alter table agent add column next_secret_hash text, add column disabled_ms bigint;
grant select (disabled_ms) on agent to offtake_reader;

alter table quarantine_dropped enable row level security;
alter table quarantine_dropped force row level security;
create policy owner_all on quarantine_dropped to current_user using (true) with check (true);

-- The subquery runs as the reader too: setups of bins that it may see.
alter table product enable row level security;
alter table product force row level security;
create policy owner_all on product to current_user using (true) with check (true);
create policy own_rows on product for select to offtake_reader
  using ((select offtake_scope()) = '*' or id in (select product_id from bin_setup));
