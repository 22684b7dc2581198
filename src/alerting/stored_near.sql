-- The stored alerts of source $1 that overlap the times $4 to $5 (null: for ever) of a rule $2
-- and group $3.
select distinct
    stored.id, stored.rule_id, stored.group_key, stored.started_at,
    nullif(stored.ended_at, 'infinity') as ended_at
from unnest($2, $3, $4, $5) as near (rule_id, group_key, near_from, near_until)
-- Distinct makes it one look-up in the constraint's index for each.
cross join lateral (
    select distinct id, rule_id, group_key, started_at, ended_at
    from alerts
    where alerts.source_id = $1
      and alerts.rule_id = near.rule_id
      and alerts.group_key = near.group_key
      and alerts.merged_into is null
      and alerts.retracted_at is null
      and tstzrange(alerts.started_at, alerts.ended_at, '[]')
          && tstzrange(near.near_from, coalesce(near.near_until, 'infinity'), '[]')
) stored
order by stored.id
