-- The outbox, the newest first: what is not delivered, or with $1 all; of channel $2 and alert $3
-- where they are given, of number $4 where it is; up to $5.
select
    notification.id, notification.alert_id, rule.name as rule, alert.severity, notification.kind,
    notification.number, notification.channel, notification.host, notification.why,
    case
        when notification.delivered_at is not null then 'delivered'
        when notification.given_up_at is not null then 'given up'
        when notification.attempts > 0 then 'failing'
        else 'waiting'
    end as state,
    notification.created_at, notification.attempts,
    case
        when notification.delivered_at is null and notification.given_up_at is null then notification.next_attempt_at
    end as next_attempt_at,
    notification.delivered_at, notification.given_up_at, notification.given_up_by, notification.last_error
from notifications notification
join alerts alert on alert.source_id = notification.source_id and alert.id = notification.alert_id
join alert_rules rule on rule.id = alert.rule_id
-- Each of the last two has an index of its own.
where ($1 or notification.delivered_at is null and notification.given_up_at is null or notification.given_up_at is not null)
  and ($2 is null or notification.channel = $2)
  and ($3 is null or notification.alert_id = $3)
  and ($4 is null or notification.id = $4)
order by notification.id desc
limit $5
