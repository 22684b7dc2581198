-- All alerts but those that another one absorbed.
select 'alerts' as kind, rule.name as rule, source.name as source,
       alert.started_at, alert.ended_at, alert.measured, alert.number::bigint as number,
       alert.resolved_at is null as fires
from alerts alert
join alert_rules rule on rule.id = alert.rule_id
join sources source on source.id = alert.source_id
where alert.merged_into is null
  and alert.retracted_at is null
order by alert.started_at, alert.id
