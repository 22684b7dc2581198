-- Numbers of the notifications of host $1 that channel $2 had got before tick $3 and that still
-- say how it is: that an alert fires, or that it has been over for less than five minutes. None as
-- long as the channel has asked to be left alone.
with left_alone as (
    select
    from channel_states
    where host = $1
      and channel = $2
      and leave_alone_until > $3
      -- Nobody may ask for more; the clock may have been set back since.
      and leave_alone_until <= $3 + interval '24 hours'
), firing as (
    select source_id, id, rule_id, group_key, number
    from alerts
    where resolved_at is null
      and merged_into is null
      and fired_at is not null
      and not exists (select from left_alone)
), recent as (
    -- What was delivered in the last minutes is among the newest; the others need no look.
    select *
    from notifications
    where not exists (select from left_alone)
    order by id desc
    limit 5000
)
select told.id
from firing
join notifications told
    on told.source_id = firing.source_id
    and told.alert_id = firing.id
    and told.channel = $2
    and told.kind = 'fired'
    and told.number = firing.number
where told.host = $1
  and told.delivered_at < $3
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
