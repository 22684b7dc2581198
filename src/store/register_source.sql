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
)
select id from registered
