-- Stored alerts grow to the whole of their episode. One that was over and holds again now is
-- to be announced again, under its next number.
-- $1 source, $2 tick, $3 rules, $4 groups, $5 starts, $6 ends, $7 measures
update alerts alert
set started_at  = episode.started_at,
    ended_at    = episode.ended_at,
    measured    = greatest(alert.measured, episode.measured),
    fired_at    = case when alert.resolved_at is not null and episode.ended_at > $2 then null else alert.fired_at end,
    number      = case when alert.resolved_at is not null and episode.ended_at > $2 then alert.number + 1 else alert.number end,
    resolved_at = case when episode.ended_at > $2 then null else alert.resolved_at end
from unnest($3, $4, $5, $6, $7) as episode (rule_id, group_key, started_at, ended_at, measured)
where alert.source_id = $1
  and alert.rule_id = episode.rule_id
  and alert.group_key = episode.group_key
  and alert.merged_into is null
  and alert.retracted_at is null
  and tstzrange(alert.started_at, alert.ended_at, '[]')
      <@ tstzrange(episode.started_at, episode.ended_at, '[]')
  and (
      (alert.started_at, alert.ended_at) <> (episode.started_at, episode.ended_at)
      or alert.measured < episode.measured
  )
