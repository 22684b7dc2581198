-- All messages so far, delivered or not.
select rule.name as rule, source.name as source, alert.group_key as "group",
       notification.kind, notification.number::bigint as number, notification.created_at as at
from notifications notification
join alerts alert on alert.source_id = notification.source_id and alert.id = notification.alert_id
join alert_rules rule on rule.id = alert.rule_id
join sources source on source.id = alert.source_id
-- Once, to however many channels.
where not exists (
      select from notifications earlier
      where earlier.source_id = notification.source_id
        and earlier.alert_id = notification.alert_id
        and earlier.kind = notification.kind
        and earlier.number = notification.number
        and earlier.id < notification.id
  )
order by notification.created_at, notification.id
