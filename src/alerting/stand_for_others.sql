-- The source to which alerts of rules across the sources of host $1 belong; made at tick $2.
with owner as (
    insert into sources (host, path, name, format, timezone, first_seen_at)
    select '*', $1, '*', 'auto', 'UTC', $2
    where not exists (select from sources where host = '*' and path = $1)
    on conflict on constraint one_source_per_host_and_path do nothing
    returning id
)
insert into ingest_state (source_id)
select id from owner
