-- Open alerts, or all ($1), or the one with number $2.
select
    alert.id, rule.name as rule,
    case
        when alert.group_key <> '' then alert.group_key
        when source.host = '*' then ''
        else source.name
    end as "group",
    source.name as source, case when source.host = '*' then source.path else source.host end as host,
    alert.severity,
    case
        when not alert.is_open then 'resolved'
        when alert.fired_at is null then 'pending'
        else 'firing'
    end as state,
    alert.started_at,
    case
        when alert.is_open then null
        when alert.closed_at is not null then greatest(alert.closed_at, alert.started_at)
        else coalesce(nullif(alert.ended_at, 'infinity'), alert.resolved_at)
    end as ended_at,
    alert.measured, alert.threshold, alert.merged_into, alert.acked_by, alert.held_back
from (
    select *, resolved_at is null and merged_into is null and retracted_at is null as is_open
    from alerts
) alert
join alert_rules rule on rule.id = alert.rule_id
join sources source on source.id = alert.source_id
where ($2 is null or alert.id = $2)
  and ($1 or alert.is_open)
order by alert.started_at, alert.id
