-- Alerts of source $1 that fire or are over by tick $2 and were not announced as such: noted
-- in their rows, and one message each in the outbox of host $3 for channel $4.
--
-- One that has not held for as long as its rule wants is not announced, and is over without a
-- word. One that the complete data no longer give is over.
with changed as (
    update alerts alert
    set fired_at = case
            when alert.retracted_at is null and alert.ended_at >= alert.started_at + rule.holds_for
                 and (rule.holds_for = '0' or alert.started_at + rule.holds_for <= $2)
            then coalesce(alert.fired_at, $2)
            else alert.fired_at
        end,
        resolved_at = case
            when alert.retracted_at is not null or alert.ended_at <= position.read_to_end_at then $2
        end
    from reader_positions position, alert_rules rule
    where position.source_id = $1
      and rule.id = alert.rule_id
      and alert.source_id = $1
      and alert.resolved_at is null
      and alert.merged_into is null
      and (alert.retracted_at is null or alert.fired_at is not null)
      and (
          alert.fired_at is null and (
              alert.ended_at >= alert.started_at + rule.holds_for
                  and (rule.holds_for = '0' or alert.started_at + rule.holds_for <= $2)
              or alert.ended_at <= position.read_to_end_at
          )
          or alert.retracted_at is not null
          or alert.ended_at <= position.read_to_end_at
      )
    returning alert.id, alert.number, alert.fired_at, alert.resolved_at
)
insert into notifications (source_id, alert_id, host, channel, kind, number, created_at, next_attempt_at)
select $1, id, $3, $4, case when resolved_at is null then 'fired' else 'resolved' end, number, $2, $2
from changed
where fired_at is not null
order by id
on conflict on constraint one_message_per_change do nothing
returning kind
