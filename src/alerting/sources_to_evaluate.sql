-- Sources of host $1, or of every host, that have something to evaluate or to announce; the ones
-- that stand for others last. $2 is the tick.
select state.source_id, source.host = '*' as stands_for_others
from ingest_state state
join sources source on source.id = state.source_id
-- The open alerts with which something is to be done; the source they belong to tells which.
left join (
    select
        source_id,
        bool_or(fired_at is null or retracted_at is not null) as is_new,
        min(ended_at) as first_ends_at,
        min(look_at) as first_look_at
    from alerts
    where resolved_at is null
      and merged_into is null
      and (retracted_at is null or fired_at is not null)
    group by source_id
) open_alert on open_alert.source_id = state.source_id
where ($1 is null or source.host = $1 or source.host = '*' and source.path = $1)
  and (
      state.dirty <> '{}'
      or state.counted <> '{}'
      or open_alert.is_new
      or open_alert.first_ends_at <= state.read_to_end_at
      or open_alert.first_look_at <= $2
      or state.judge_at <= coalesce(state.read_to_end_at, state.last_logged_at)
      -- How far all of them were read is found out when it is evaluated.
      or source.host = '*' and (state.judge_at is not null or open_alert.source_id is not null)
  )
order by source.host = '*', state.source_id
