-- Locks the row of source $1 if its file $2 is still read up to offset $3, and the source up to
-- line $4: a last line without an end is stored without moving the offset. Returns its dirty
-- ranges, of entries and of counts: at least one row, with nulls where nothing is dirty. In each
-- row stands the last minute of which lines are counted, and whether a rule reads the counts.
with state as materialized (
    select dirty, counted
    from ingest_state
    where source_id = $1
      and line_no = $4
      and (
          generation = $2 and byte_offset = $3
          or generation <> $2 and exists (
              select from generations earlier
              where earlier.source_id = $1
                and earlier.generation = $2
                and earlier.byte_offset = $3
          )
      )
    for update
)
select
    lower(dirty_range) as dirty_from,
    upper(dirty_range) as dirty_to,
    is_of_counts,
    (select max(minute) from line_counts where source_id = $1) as last_minute,
    exists (select from alert_rules where reads_counts and retired_at is null) as are_counts_read
from state
cross join lateral (values (false, state.dirty), (true, state.counted)) as one (is_of_counts, ranges)
left join lateral unnest(one.ranges) as dirty_range on true
