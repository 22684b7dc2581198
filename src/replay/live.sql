-- All alerts but those that another one absorbed.
select 'alerts' as kind, rule.name as rule, source.name as source,
       alert.group_key as "group", alert.started_at, nullif(alert.ended_at, 'infinity') as ended_at, alert.measured, alert.number::bigint as number,
       alert.resolved_at is not null as is_over, alert.fired_at is not null as is_announced,
       alert.retracted_at is not null as is_withdrawn
from alerts alert
join alert_rules rule on rule.id = alert.rule_id
join sources source on source.id = alert.source_id
where alert.merged_into is null
  and alert.retracted_at is null
  -- One that was over before it had held for long enough is none.
  and (alert.fired_at is not null or alert.resolved_at is null)
order by alert.started_at, alert.id
