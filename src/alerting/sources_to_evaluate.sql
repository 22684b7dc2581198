-- Sources of host $1, or of every host, that have something to evaluate or to announce.
select state.source_id
from ingest_state state
join sources source on source.id = state.source_id
where ($1 is null or source.host = $1)
  and (
      state.dirty <> '{}'
      or exists (
          select from alerts
          where alerts.source_id = state.source_id
            and alerts.resolved_at is null
            and alerts.merged_into is null
            and alerts.retracted_at is null
            and (alerts.fired_at is null or alerts.ended_at <= state.read_to_end_at)
      )
  )
order by state.source_id
