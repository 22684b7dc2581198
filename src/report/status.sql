-- All sources with the state of their reading.
select
    source.name, source.host, source.path,
    state.inode, state.byte_offset, state.size_bytes,
    coalesce((tail.flushed ->> 'bytes')::bigint, 0) as flushed_bytes, state.last_logged_at, state.line_no,
    state.unparsed_lines, state.unparsed_samples, state.cut_lines, state.nul_bytes, state.redated_entries,
    (select count(*) from ingest_gaps gap where gap.source_id = source.id) as gaps,
    state.last_error, state.last_error_since
from sources source
join ingest_state state on state.source_id = source.id
left join ingest_tails tail on tail.source_id = source.id
    and tail.generation = state.generation and tail.byte_offset = state.byte_offset
order by source.host, source.name, source.path
