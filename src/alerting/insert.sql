-- Episodes that no stored alert covers are new alerts.
-- $1 source, $2 tick, $3 rules, $4 groups, $5 starts, $6 ends, $7 measures
insert into alerts (source_id, rule_id, group_key, started_at, ended_at, measured, threshold,
                    severity, recorded_at)
select $1, rule.id, episode.group_key, episode.started_at, episode.ended_at, episode.measured,
       rule.count, rule.severity, $2
from unnest($3, $4, $5, $6, $7) as episode (rule_id, group_key, started_at, ended_at, measured)
join alert_rules rule on rule.id = episode.rule_id
-- The constraint alone would do, but each row that it refuses uses up a number, and people
-- type the numbers of alerts.
where not exists (
    select from alerts alert
    where alert.source_id = $1
      and alert.rule_id = episode.rule_id
      and alert.group_key = episode.group_key
      and alert.merged_into is null
      and alert.retracted_at is null
      and tstzrange(alert.started_at, alert.ended_at, '[]')
          && tstzrange(episode.started_at, episode.ended_at, '[]')
)
order by episode.started_at, rule.id, episode.group_key
on conflict do nothing
