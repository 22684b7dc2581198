-- Numbers of up to $4 notifications of host $1 for channel $2 that are due at tick $3, claimed
-- for this transaction.
select id
from notifications notification
where host = $1
  and channel = $2
  and delivered_at is null
  and given_up_at is null
  -- The clock may have been set back since.
  and (next_attempt_at <= $3 or created_at > $3)
  -- Nobody is told that an alert is over before having been told that it fires.
  and not exists (
      select from notifications earlier
      where earlier.source_id = notification.source_id
        and earlier.alert_id = notification.alert_id
        and earlier.channel = notification.channel
        and earlier.id < notification.id
        and earlier.delivered_at is null
        and earlier.given_up_at is null
        and earlier.next_attempt_at > $3
        and earlier.created_at <= $3
  )
order by id
limit $4
for update skip locked
