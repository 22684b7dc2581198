-- Episodes that no stored alert covers are new alerts.
-- $1 source, $2 tick, $3 rules, $4 groups, $5 starts, $6 ends (null: for ever), $7 measures,
-- $8 and $9 from when to when stored alerts are theirs
insert into alerts (source_id, rule_id, group_key, started_at, ended_at, measured, threshold,
                    severity, recorded_at)
select $1, rule.id, episode.group_key, episode.started_at, coalesce(episode.ended_at, 'infinity'),
       episode.measured,
       case
           when rule.kind = 'ratio' then rule.percent
           when rule.kind in ('spike', 'baseline') then rule.at_least
           when rule.kind = 'blind' and episode.group_key = 'unparsed' then rule.percent
           else rule.count
       end,
       rule.severity, $2
from unnest($3, $4, $5, $6, $7, $8, $9)
    as episode (rule_id, group_key, started_at, ended_at, measured, reach_from, reach_until)
join alert_rules rule on rule.id = episode.rule_id
-- The constraint alone would do, but each row that it refuses uses up a number, and people
-- type the numbers of alerts.
where not exists (
    select from alerts alert
    where alert.source_id = $1
      and alert.rule_id = episode.rule_id
      and alert.group_key = episode.group_key
      and alert.is_live
      and alert.started_at <= coalesce(episode.reach_until, 'infinity')
      and alert.ended_at >= episode.reach_from
)
order by episode.started_at, rule.id, episode.group_key
on conflict do nothing
