-- From when to when there is something of the sources that rule $1 judges: stored entries, and
-- lines that were counted; and up to when they were read, at most tick $2.
select
    min(entries.first_at) as first_entry_at,
    max(entries.last_at) as last_entry_at,
    min(counts.first_at) as first_line_at,
    max(counts.last_at) as last_line_at,
    max(least(state.read_to_end_at, $2)) as read_at
from (
    select distinct one.source_id
    from rule_scopes scope
    cross join lateral unnest(scope.members) as one (source_id)
    where scope.rule_id = $1
) member
join ingest_state state on state.source_id = member.source_id
cross join lateral (
    select min(logged_at) as first_at, max(logged_at) as last_at
    from log_entries
    where source_id = member.source_id
) entries
cross join lateral (
    select min(coalesce(first_at, minute)) as first_at, max(coalesce(last_at, minute)) as last_at
    from line_counts
    where source_id = member.source_id
) counts
