-- Of each of the sources $1, whose rows are locked, the first range that is not evaluated yet, cut
-- after $2 entries but not shorter than the longest window: shorter slices would read the same
-- entries many times. What is beyond it, of entries and of counts, is written as text.
select one.source_id, slice.*
from unnest($1) as one (source_id)
cross join lateral (
    with state as materialized (
        select dirty, counted, judged_until, recount from ingest_state where source_id = one.source_id
    ), scope as materialized (
        select within, stale_after, members
        from rule_scopes
        where source_id = one.source_id
    ), reach as (
        select coalesce(max(greatest(within, stale_after)), '0') as length from scope
    ), whole as (
        -- Of what was not read when rules were evaluated last, parts that are near each other are
        -- one range: each line may leave a moment at which it is too old. Between older ones lies
        -- what was evaluated, which is not for new rules to judge.
        select range_agg(tstzrange(
            lower(part), upper(part) + reach.length * coalesce(upper(part) > judged_until, false)::int, '[]'
        )) as ranges
        from state
        cross join reach
        cross join lateral unnest(dirty + counted) as part
    ), first_range as (
        select
            lower(range) as dirty_from,
            upper(range) - reach.length * coalesce(upper(range) > judged_until, false)::int as dirty_to
        from state
        cross join reach
        cross join whole
        cross join lateral unnest(whole.ranges) as range
        order by 1
        limit 1
    ), slice as (
        select
            dirty_from,
            least(dirty_to, greatest(
                dirty_from + (select coalesce(max(within), '0') from scope),
                coalesce((
                    select logged_at
                    from log_entries
                    -- Later than its beginning, however many there are of that moment.
                    where source_id = one.source_id and logged_at > dirty_from and logged_at <= dirty_to
                    order by logged_at
                    offset $2
                    limit 1
                ), (
                    select logged_at
                    from log_entries
                    -- The source that stands for others has no entries itself.
                    where source_id = any ((select members from scope where members <> array[one.source_id] limit 1)::bigint[])
                      and logged_at > dirty_from and logged_at <= dirty_to
                    order by logged_at
                    offset $2
                    limit 1
                ), dirty_to)
            )) as dirty_to
        from first_range
    )
    select
        slice.dirty_from, slice.dirty_to,
        nullif(state.dirty - slice.range, '{}')::text as other_dirty,
        nullif(state.counted - slice.range, '{}')::text as other_counted,
        (select count(*) > 1 from unnest(state.dirty)) or (select count(*) > 1 from unnest(state.counted)) as is_scattered,
        state.recount,
        exists (
            select from sources owner
            join sources source on owner.path in (source.host, '*')
            where owner.host = '*' and source.id = one.source_id and source.host <> '*'
        ) as is_member,
        array(select rule_id from rule_backlog where source_id = one.source_id and failures > 0) as failing
    from state
    cross join (select *, tstzmultirange(tstzrange(dirty_from, dirty_to, '[]')) as range from slice) slice
) slice
order by one.source_id
