-- Messages for the channels $1 that a storm is over of which they were told, written at tick $2;
-- $3 and $4 are the channels that deliver later, and when.
with over as (
    select storm.id
    from notifications storm
    join alerts first on first.source_id = storm.source_id and first.id = storm.alert_id
    where storm.kind = 'storm'
      and storm.over_at is null
      and storm.channel = any ($1)
      -- A storm goes over all sources of its rule.
      and not exists (
          select from alerts held
          where held.rule_id = first.rule_id
            and held.held_back = 'storm'
            and held.resolved_at is null
            and held.merged_into is null
      )
    order by storm.id
    -- One that is being delivered is looked at by the next run.
    for update of storm skip locked
), marked as (
    update notifications storm
    set over_at = $2
    from over
    where storm.id = over.id
    returning storm.*
)
insert into notifications (source_id, alert_id, host, channel, kind, number, created_at, next_attempt_at, why)
select
    storm.source_id, storm.alert_id, storm.host, storm.channel, 'storm_over', storm.number, $2,
    coalesce(later.not_before, $2), 'it was told of the storm'
from marked storm
left join unnest($3, $4) later (channel, not_before) on later.channel = storm.channel
where storm.given_up_at is null
order by storm.id
on conflict on constraint one_message_per_change do nothing
