-- Locks source $1 and returns the first of its dirty ranges, cut after $2 entries but not
-- shorter than the longest window: shorter slices would read the same entries many times.
with state as materialized (
    select dirty from ingest_state where source_id = $1 for update
), first_range as (
    select lower(dirty_range) as dirty_from, upper(dirty_range) as dirty_to
    from state
    cross join lateral unnest(state.dirty) as dirty_range
    order by 1
    limit 1
)
select
    dirty_from,
    least(dirty_to, greatest(
        dirty_from + (
            select coalesce(max(rule.within), '0')
            from sources source
            join alert_rules rule on rule.host in (source.host, '*')
            where source.id = $1 and rule.retired_at is null
        ),
        coalesce((
            select logged_at
            from log_entries
            -- Later than its beginning, however many there are of that moment.
            where source_id = $1 and logged_at > dirty_from and logged_at <= dirty_to
            order by logged_at
            offset $2
            limit 1
        ), dirty_to)
    )) as dirty_to
from first_range
