-- Slices of the sources $1 are evaluated: $2 and $3 are what is left to be evaluated of entries and
-- of counts, $4 up to when all was read. Intervals of the sources $5 wait, which begin at $6, for
-- the times $7.
with learned as (
    delete from rule_backlog where source_id = any ($1) and failures = 0
), waiting as (
    select source_id, range_agg(tstzrange(hot_from, hot_from, '[]')) as held, min(known_from) as judge_at
    from unnest($5, $6, $7) as interval (source_id, hot_from, known_from)
    group by source_id
)
update ingest_state
set dirty    = coalesce(slice.other_dirty, '{}')::tstzmultirange,
    counted  = coalesce(slice.other_counted, '{}')::tstzmultirange,
    held     = ingest_state.held + coalesce(waiting.held, '{}'),
    judge_at = least(ingest_state.judge_at, waiting.judge_at),
    judged_until = slice.judged_until,
    recount = false,
    judge_again = ingest_state.judge_again and not (slice.other_dirty is null and slice.other_counted is null)
from unnest($1, $2, $3, $4) as slice (source_id, other_dirty, other_counted, judged_until)
left join waiting on waiting.source_id = slice.source_id
where ingest_state.source_id = slice.source_id
