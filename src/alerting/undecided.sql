-- Open alerts of source $1 about which something may be to be decided at tick $2.
select
    alert.id, alert.rule_id, rule.name as rule, alert.group_key as "group",
    source.name as source, source.path, alert.severity,
    alert.started_at, nullif(alert.ended_at, 'infinity') as ended_at,
    alert.retracted_at is not null as is_retracted,
    extract(epoch from rule.holds_for)::bigint as holds_for_seconds,
    rule.active,
    extract(epoch from rule.remind_every)::bigint as remind_every_seconds,
    rule.retired_at is not null as is_rule_retired,
    alert.fired_at, alert.told_at, alert.held_back, alert.acked_at is not null as is_acked,
    alert.reminders, position.read_to_end_at
from alerts alert
join alert_rules rule on rule.id = alert.rule_id
join sources source on source.id = alert.source_id
cross join (
    select
        case
            when state.dirty = '{}' and state.counted = '{}' then reader.read_to_end_at
            -- What was read since the evaluation may lengthen an episode.
            when reader.read_to_end_at is not null then least(reader.read_to_end_at, state.judged_until)
        end as read_to_end_at
    from reader_positions reader
    join ingest_state state on state.source_id = reader.source_id
    where reader.source_id = $1
) position
where alert.source_id = $1
  and alert.resolved_at is null
  and alert.merged_into is null
  and (alert.retracted_at is null or alert.fired_at is not null)
  and (
      alert.fired_at is null
      or alert.retracted_at is not null
      or alert.ended_at <= position.read_to_end_at
      or alert.look_at <= $2
  )
order by alert.started_at, alert.id
