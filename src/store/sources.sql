-- All sources of the host $1 with the state of their reading.
select
    source.id, source.path, source.name, source.format, source.timezone,
    state.generation, state.device, state.inode, state.byte_offset, state.head_hash,
    state.marker_hash, state.begin_hash, state.size_bytes, state.file_path,
    state.archives_noted, source.empty_since, state.line_no, state.parsed_lines, state.last_logged_at,
    state.open_line_no, state.open_logged_at,
    state.open_level::text as open_level, state.open_lines, state.open_bytes, state.open_trace, state.detected_format, state.journal_cursor,
    state.last_error, state.last_error_shown_at,
    tail.generation as tail_generation, tail.bytes as tail_bytes, tail.hash as tail_hash, tail.first_seen_at as tail_first_seen_at,
    tail.flushed as tail_flushed,
    -- The source that stands for all of them is read as far as they are.
    open_alert.source_id is not null or coalesce((
        select bool_or(owner_state.judge_at is not null or exists (
            select from alerts
            where alerts.source_id = owner.id and alerts.resolved_at is null and alerts.merged_into is null
              and (alerts.retracted_at is null or alerts.fired_at is not null)
        ))
        from sources owner
        join ingest_state owner_state on owner_state.source_id = owner.id
        where owner.host = '*' and owner.path in ($1, '*')
    ), false) as has_open_alerts,
    state.judge_at,
    unfinished.source_id is not null as has_unfinished_files
from sources source
join ingest_state state on state.source_id = source.id
left join ingest_tails tail on tail.source_id = source.id
    and (
        tail.generation = state.generation and tail.byte_offset = state.byte_offset
        or tail.generation <> state.generation and exists (
            select from generations earlier
            where earlier.source_id = tail.source_id
              and earlier.generation = tail.generation
              and earlier.byte_offset = tail.byte_offset
              and earlier.state = 'unfinished'
        )
    )
-- All that are open, which are few: an exists for each source would make the planner open the
-- index of the exclusion constraint, which costs a tick a millisecond.
left join (
    select distinct source_id
    from alerts
    where resolved_at is null and merged_into is null and (retracted_at is null or fired_at is not null)
) open_alert on open_alert.source_id = source.id
left join (
    select distinct source_id from generations where state = 'unfinished'
) unfinished on unfinished.source_id = source.id
where source.host = $1
order by source.id
