-- The kept intervals of source $1 that overlap the times $4 to $5 (null: for ever) of a rule $2
-- and group $3.
select distinct
    kept.rule_id, kept.group_key, kept.hot_from, nullif(kept.hot_until, 'infinity') as hot_until,
    kept.full_from, kept.measured
from unnest($2, $3, $4, $5) as near (rule_id, group_key, near_from, near_until)
-- Distinct keeps the planner from reading all that is kept.
cross join lateral (
    select distinct rule_id, group_key, hot_from, hot_until, full_from, measured
    from hot_intervals
    where hot_intervals.source_id = $1
      and hot_intervals.rule_id = near.rule_id
      and hot_intervals.group_key = near.group_key
      and hot_intervals.hot_from <= coalesce(near.near_until, 'infinity')
      and hot_intervals.hot_until >= near.near_from
) kept
order by kept.rule_id, kept.group_key, kept.hot_from
