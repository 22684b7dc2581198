-- Locks source $1. read_until is the time up to which it was read, at most the tick $2, and not
-- before what was judged already; what waited for that time is to be evaluated again now.
with position as materialized (
    select read_until from reader_positions where source_id = $1
)
select
    greatest(least(position.read_until, $2), state.judged_until) as read_until,
    state.judge_at <= greatest(least(position.read_until, $2), state.judged_until) as is_due
from ingest_state state
cross join position
where state.source_id = $1
for update of state
