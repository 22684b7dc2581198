-- Alerts of source $1 that fire or are over by tick $2 and were not announced as such: noted
-- in their rows, and one message each in the outbox of host $3 for channel $4.
with changed as (
    update alerts alert
    set fired_at    = coalesce(alert.fired_at, $2),
        resolved_at = case when alert.ended_at <= state.read_to_end_at then $2 end
    from ingest_state state
    where state.source_id = $1
      and alert.source_id = $1
      and alert.resolved_at is null
      and alert.merged_into is null
      and alert.retracted_at is null
      and (alert.fired_at is null or alert.ended_at <= state.read_to_end_at)
    returning alert.id, alert.number, alert.resolved_at
)
insert into notifications (source_id, alert_id, host, channel, kind, number, created_at, next_attempt_at)
select $1, id, $3, $4, case when resolved_at is null then 'fired' else 'resolved' end, number, $2, $2
from changed
order by id
on conflict on constraint one_message_per_change do nothing
returning kind
