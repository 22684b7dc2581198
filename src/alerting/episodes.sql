-- What holds of the sources $1 around what is not evaluated yet, by rules $2, or by all, but not by
-- $3.
select one.source_id, episode.*
from unnest($1) as one (source_id)
cross join lateral (
    select rule_id, group_key, started_at, ended_at, measured
    from alert_episodes
    where source_id = one.source_id
      and rule_id = any ($2)
    offset 0
) episode
order by one.source_id, episode.rule_id, episode.group_key, episode.started_at
