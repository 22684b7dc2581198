-- As stand_for_others.sql, with a number below 0 that is nobody else's.
with owner as (
    insert into sources (id, host, path, name, format, timezone, first_seen_at)
    select -(pg_backend_pid()::bigint * 1000), '*', $1, '*', 'auto', 'UTC', $2
    where not exists (select from sources where host = '*' and path = $1)
    returning id
)
insert into ingest_state (source_id)
select id from owner
