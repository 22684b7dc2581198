-- Numbers of the notifications of host $1 that channel $2 had got before tick $3 and that still
-- say how it is: that an alert fires, or that it has been over for less than five minutes.
with firing as (
    select alert.source_id, alert.id, alert.rule_id, alert.group_key, told.id as notification
    from alerts alert
    join notifications told
        on told.source_id = alert.source_id
        and told.alert_id = alert.id
        and told.channel = $2
        and told.kind = 'fired'
        and told.number = alert.number
    where alert.resolved_at is null
      and alert.merged_into is null
      and (alert.retracted_at is null or alert.fired_at is not null)
      and told.host = $1
      and told.delivered_at < $3
), recent as (
    -- What was delivered in the last minutes is among the newest; the others need no look.
    select *
    from notifications
    order by id desc
    limit 5000
)
select notification as id
from firing
union all
select recent.id
from recent
join alerts over on over.source_id = recent.source_id and over.id = recent.alert_id
where recent.host = $1
  and recent.channel = $2
  and recent.kind = 'resolved'
  and recent.number = over.number
  and recent.delivered_at < $3
  and recent.delivered_at > $3 - interval '5 minutes'
  and over.resolved_at is not null
  -- The next alert of the same rule and group has the same labels: it would end with this one.
  and not exists (
      select from firing
      where firing.source_id = over.source_id
        and firing.rule_id = over.rule_id
        and firing.group_key = over.group_key
  )
order by id
