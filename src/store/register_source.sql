-- Makes the rows of a source, or notes its changed settings; returns its number.
-- $1 host, $2 path, $3 name, $4 format, $5 timezone, $6 tick
with registered as (
    insert into sources (host, path, name, format, timezone, first_seen_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict on constraint one_source_per_host_and_path
        do update set name = excluded.name, format = excluded.format, timezone = excluded.timezone
    returning id
), state as (
    insert into ingest_state (source_id)
    select id from registered
    on conflict on constraint ingest_state_pkey do nothing
), judged_otherwise as materialized (
    -- By another name it may be judged by other rules, also by those that judge all sources. Locked
    -- in this order by an evaluation, too.
    select state.source_id
    from sources known
    join sources judged on judged.id = known.id or judged.host = '*'
    join ingest_state state on state.source_id = judged.id
    where known.host = $1
      and known.path = $2
      and known.name <> $3
    order by judged.host = '*', judged.id
    for update of state
), noted as (
    update ingest_state set judge_again = true, recount = true
    from judged_otherwise
    where ingest_state.source_id = judged_otherwise.source_id
)
select id from registered
