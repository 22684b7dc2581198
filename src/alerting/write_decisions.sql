-- What was decided about alerts of source $1 at tick $2: noted in their rows, in their history,
-- and as messages in the outbox of host $3 for channel $4.
-- $5 alerts, $6 names of decisions, $7 reasons, $8 messages, then what the columns of the alerts
-- become: $9 fired_at, $10 resolved_at, $11 told_at, $12 held_back, $13 look_at, $14 reminders
with decided as (
    select *
    from unnest($5, $6, $7, $8, $9, $10, $11, $12, $13, $14) with ordinality as decision (
        id, name, reason, message, fired_at, resolved_at, told_at, held_back, look_at, reminders, place
    )
), changed as (
    update alerts alert
    set fired_at    = decided.fired_at,
        resolved_at = decided.resolved_at,
        told_at     = decided.told_at,
        held_back   = decided.held_back,
        look_at     = decided.look_at,
        reminders   = decided.reminders
    from decided
    where alert.source_id = $1
      and alert.id = decided.id
    returning alert.id, alert.number
), noted as (
    insert into alert_events (source_id, alert_id, at, decision, reason)
    select $1, id, $2, name, reason
    from decided
    where name is not null
    order by place
)
insert into notifications (source_id, alert_id, host, channel, kind, number, created_at, next_attempt_at)
select
    $1, decided.id, $3, $4, decided.message,
    case when decided.message = 'reminder' then decided.reminders else changed.number end, $2, $2
from decided
join changed on changed.id = decided.id
where decided.message <> 'storm'
order by decided.place
on conflict on constraint one_message_per_change do nothing
