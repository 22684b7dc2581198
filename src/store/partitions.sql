-- The partitions of log_entries with their bounds, but for the default one.
select
    substring(bound from $$FROM \('([^']+)'\)$$)::timestamptz as begins_at,
    substring(bound from $$TO \('([^']+)'\)$$)::timestamptz as ends_at
from (
    select pg_get_expr(partition.relpartbound, partition.oid) as bound
    from pg_inherits
    join pg_class partition on partition.oid = pg_inherits.inhrelid
    where pg_inherits.inhparent = 'log_entries'::regclass
) partition_bound
where bound <> 'DEFAULT'
order by begins_at
