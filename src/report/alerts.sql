-- Alerts that fire, or all ($1), or the one with number $2.
select
    alert.id, rule.name as rule, source.name as "group", source.name as source, source.host,
    alert.severity,
    case when alert.fires then 'firing' else 'resolved' end as state,
    alert.started_at,
    case when not alert.fires then alert.ended_at end as ended_at,
    alert.measured, alert.threshold, alert.merged_into,
    null::text as acked_by
from (
    select *, resolved_at is null and merged_into is null and retracted_at is null as fires
    from alerts
) alert
join alert_rules rule on rule.id = alert.rule_id
join sources source on source.id = alert.source_id
where ($2 is null or alert.id = $2)
  and ($1 or alert.fires)
order by alert.started_at, alert.id
