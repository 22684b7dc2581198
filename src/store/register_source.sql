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
    -- By another name it may be judged by other rules.
    on conflict on constraint ingest_state_pkey do update set judge_again = true
        where (select name from sources where host = $1 and path = $2) is distinct from $3
)
select id from registered
