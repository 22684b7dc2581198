-- A slice of source $1 is evaluated: $2 and $3 are what is left to be evaluated of entries and
-- of counts, $4 and $5 intervals that wait for a time, and those times, $6 up to when all was
-- read.
with learned as (
    delete from rule_backlog where source_id = $1 and failures = 0
), waiting as (
    select range_agg(tstzrange(hot_from, hot_from, '[]')) as held, min(known_from) as judge_at
    from unnest($4, $5) as interval (hot_from, known_from)
)
update ingest_state
set dirty    = coalesce($2, '{}')::tstzmultirange,
    counted  = coalesce($3, '{}')::tstzmultirange,
    held     = ingest_state.held + coalesce(waiting.held, '{}'),
    judge_at = least(ingest_state.judge_at, waiting.judge_at),
    judged_until = $6
from waiting
where source_id = $1
