-- Notifications of host $1 for channel $2 that are due at tick $3, claimed for this
-- transaction, with what their messages say.
select
    notification.id, notification.alert_id, notification.kind, notification.number,
    rule.name as rule, alert.severity, array_to_string(rule.levels, ',') as levels,
    extract(epoch from rule.within)::bigint as within_seconds, rule.summary,
    source.name as source, source.path, source.timezone,
    alert.started_at, alert.ended_at, alert.measured, alert.threshold,
    entry.sample
from notifications notification
join alerts alert on alert.source_id = notification.source_id and alert.id = notification.alert_id
join alert_rules rule on rule.id = alert.rule_id
join sources source on source.id = alert.source_id
left join lateral (
    select left(split_part(log_entries.message, e'\n', 1), 1000) as sample
    from log_entries
    where log_entries.source_id = alert.source_id
      and log_entries.logged_at = alert.started_at
      and log_entries.level = any (rule.levels)
      and (rule.pattern is null or split_part(log_entries.message, e'\n', 1) ~ rule.pattern)
    order by log_entries.line_no desc
    limit 1
) entry on true
where notification.host = $1
  and notification.channel = $2
  -- The clock may have been set back since.
  and (notification.next_attempt_at <= $3 or notification.created_at > $3)
  and notification.delivered_at is null
  and notification.given_up_at is null
order by alert.started_at, notification.id
for update of notification skip locked
