-- What was decided about alerts of source $1 at tick $2: noted in their rows, in their history,
-- and as messages in the outbox of host $3.
-- $4 alerts, $5 names of decisions, $6 reasons, then what the columns of the alerts become:
-- $7 fired_at, $8 resolved_at, $9 told_at, $10 held_back, $11 look_at, $12 reminders
-- Messages: $13 alerts, $14 kinds, $15 channels, $16 why these, $17 not before when
with decided as (
    select *
    from unnest($4, $5, $6, $7, $8, $9, $10, $11, $12) with ordinality as decision (
        id, name, reason, fired_at, resolved_at, told_at, held_back, look_at, reminders, place
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
    returning alert.id, alert.number, alert.reminders
), noted as (
    insert into alert_events (source_id, alert_id, at, decision, reason)
    select $1, id, $2, name, reason
    from decided
    where name is not null
    order by place
)
insert into notifications (source_id, alert_id, host, channel, kind, number, created_at, next_attempt_at, why)
select
    $1, changed.id, $3, message.channel, message.kind,
    case when message.kind = 'reminder' then changed.reminders else changed.number end,
    $2, message.not_before, message.why
from unnest($13, $14, $15, $16, $17) with ordinality as message (
    alert_id, kind, channel, why, not_before, place
)
join changed on changed.id = message.alert_id
order by message.place
on conflict on constraint one_message_per_change do nothing
