-- What belongs to all sources of host $1 together goes over to all sources of $2 together, where
-- both have a source that stands for them. Alerts of both that overlap become one.
with pair as (
    select old.id as old_id, new.id as new_id
    from sources old
    join sources new on new.host = '*' and new.path = $2
    where old.host = '*'
      and old.path = $1
), alert as (
    update alerts
    set source_id = pair.new_id,
        merged_into = coalesce(alerts.merged_into, (
            select other.id
            from alerts other
            where other.source_id = pair.new_id
              and other.rule_id = alerts.rule_id
              and other.group_key = alerts.group_key
              and other.is_live
              and other.started_at <= alerts.ended_at
              and other.ended_at >= alerts.started_at
            order by other.started_at
            limit 1
        ))
    from pair
    where alerts.source_id = pair.old_id
), notification as (
    update notifications
    set source_id = pair.new_id
    from pair
    where notifications.source_id = pair.old_id
), event as (
    update alert_events
    set source_id = pair.new_id
    from pair
    where alert_events.source_id = pair.old_id
), gone as (
    delete from hot_intervals using pair where source_id = pair.old_id
), backlog as (
    delete from rule_backlog using pair where source_id = pair.old_id
), bucket as (
    delete from bucket_counts using pair where source_id = pair.old_id
), span as (
    delete from counted_spans using pair where source_id = pair.old_id
), state as (
    delete from ingest_state using pair where source_id = pair.old_id
    returning new_id, dirty
)
update ingest_state
set dirty = ingest_state.dirty + state.dirty, judge_again = true, recount = true
from state
where ingest_state.source_id = state.new_id
