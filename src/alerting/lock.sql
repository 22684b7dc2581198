-- Locks the sources $1. read_until is the time up to which one was read, at most the tick $2, and
-- not before what was judged already; what waited for that time is to be evaluated again now.
select
    state.source_id,
    greatest(least(position.read_until, $2), state.judged_until) as read_until,
    state.judge_at <= greatest(least(position.read_until, $2), state.judged_until) as is_due
from ingest_state state
-- An offset keeps the planner from looking at all sources at once, here and in the statements
-- about several sources that follow.
cross join lateral (
    select read_until from reader_positions where source_id = state.source_id offset 0
) position
where state.source_id = any ($1)
order by state.source_id
for update of state
