-- What new lines of the sources $1 say of rules whose intervals only grow, merged where they
-- touch, as alert_episodes does it; of rules $2, or of all, but not of $3.
with part as (
    select one.source_id, hot.*
    from unnest($1) as one (source_id)
    cross join lateral (
        select rule_id, group_key, hot_from, hot_until, full_from, measured
        from {view}
        where source_id = one.source_id
          and rule_id = any ($2)
        offset 0
    ) hot
), merged as (
    select
        source_id, rule_id, group_key,
        range_agg(tstzrange(hot_from, hot_until, '[]')) as intervals,
        array_agg(hot_from) as starts,
        array_agg(full_from) as full_starts,
        array_agg(measured) as measures
    from part
    group by source_id, rule_id, group_key
)
select
    merged.source_id, merged.rule_id, merged.group_key, lower(whole.during) as hot_from, upper(whole.during) as hot_until,
    whole.full_from, null::timestamptz as known_from, whole.measured, true as is_hot
from merged
cross join lateral (
    select interval.during, min(part.full_from) as full_from, max(part.measured) as measured
    from unnest(merged.starts, merged.full_starts, merged.measures) as part (starts_at, full_from, measured)
    join unnest(merged.intervals) with ordinality as interval (during, place)
        on interval.place = width_bucket(part.starts_at, array(select lower(one) from unnest(merged.intervals) as one))
    group by interval.during
) whole
order by merged.source_id, merged.rule_id, merged.group_key, hot_from
