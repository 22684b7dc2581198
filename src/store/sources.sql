-- All sources of the host $1 with the state of their reading.
select
    source.id, source.path, source.name, source.format, source.timezone,
    state.generation, state.device, state.inode, state.byte_offset, state.head_hash,
    state.marker_hash, state.size_bytes, state.line_no, state.parsed_lines,
    state.last_logged_at, state.open_line_no, state.open_logged_at,
    state.open_level::text as open_level, state.open_lines, state.open_bytes,
    state.last_error, state.last_error_shown_at,
    exists (
        select from alerts
        where alerts.source_id = source.id
          and alerts.resolved_at is null
          and alerts.merged_into is null
          and alerts.retracted_at is null
    ) as has_open_alerts
from sources source
join ingest_state state on state.source_id = source.id
where source.host = $1
order by source.id
