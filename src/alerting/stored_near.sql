-- The stored alerts of source $1 that overlap the times $4 to $5 (null: for ever) of a rule $2
-- and group $3.
select distinct
    stored.id, stored.rule_id, stored.group_key, stored.started_at,
    nullif(stored.ended_at, 'infinity') as ended_at
from unnest($2, $3, $4, $5) as near (rule_id, group_key, near_from, near_until)
-- Distinct makes it one look-up in an index for each.
cross join lateral (
    select distinct id, rule_id, group_key, started_at, ended_at
    from alerts
    where alerts.source_id = $1
      and alerts.rule_id = near.rule_id
      and alerts.group_key = near.group_key
      and alerts.is_live
      and alerts.started_at <= coalesce(near.near_until, 'infinity')
      and alerts.ended_at >= near.near_from
) stored
order by stored.id
