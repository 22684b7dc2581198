-- The messages after number $1, and which alerts they are about.
select notification.kind, rule.name as rule, source.name as source,
       alert.group_key as "group", alert.started_at, nullif(alert.ended_at, 'infinity') as ended_at, alert.measured, notification.number::bigint as number,
       alert.resolved_at is not null as is_over, alert.fired_at is not null as is_announced,
       alert.retracted_at is not null as is_withdrawn
from notifications notification
join alerts alert on alert.source_id = notification.source_id and alert.id = notification.alert_id
join alert_rules rule on rule.id = alert.rule_id
join sources source on source.id = alert.source_id
where notification.id > $1
  -- Once, to however many channels.
  and not exists (
      select from notifications earlier
      where earlier.source_id = notification.source_id
        and earlier.alert_id = notification.alert_id
        and earlier.kind = notification.kind
        and earlier.number = notification.number
        and earlier.id < notification.id
  )
order by alert.started_at, notification.id
