-- What is wanted of an agent's configuration from afar, and what the agent says of it.

-- Every version that was ever wanted; the newest counts. Versions of an agent only ever grow.
create table agent_configuration (
  agent_id text not null references agent,
  version bigint not null check (version > 0),
  -- Sections in place of those of the local file; empty for the local file alone. json and not
  -- jsonb: people edit it, and find their keys in the order in which they wrote them.
  config json not null,
  author_key text not null references api_key,
  -- The key's name.
  author text not null,
  at_ms bigint not null,
  note text not null,
  primary key (agent_id, version)
);

-- The newest that each agent reported.
create table agent_configuration_report (
  agent_id text primary key references agent,
  version bigint not null,
  state text not null check (state in ('applied', 'trial', 'refused', 'rolled-back')),
  -- 0 for the local file alone.
  in_force bigint not null,
  -- By the agent's clock, and by ours.
  at_ms bigint not null,
  received_ms bigint not null,
  reason text,
  problems json not null
);

grant select on agent_configuration, agent_configuration_report to offtake_reader;

do $$
declare scoped text;
begin
  foreach scoped in array array['agent_configuration', 'agent_configuration_report']
  loop
    execute format('create policy own_rows on %I for select to offtake_reader
      using ((select offtake_scope()) = ''*'' or agent_id in (select id from agent))', scoped);
    execute format('alter table %I enable row level security', scoped);
    execute format('alter table %I force row level security', scoped);
    execute format('create policy owner_all on %I to current_user using (true) with check (true)',
      scoped);
  end loop;
end $$;
