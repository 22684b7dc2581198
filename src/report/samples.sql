-- The first five of them, with the file that they stand in.
select
    matching.logged_at, matching.level::text as level, left(matching.message, 4000) as message,
    coalesce(generation.path, source.path) as path,
    matching.byte_offset,
    source.host, source.path as log,
    case
        when generation.generation is not null then
            array[generation.device, generation.inode, generation.byte_offset, generation.head_hash, generation.marker_hash]
        when stretch.generation = state.generation then
            array[state.device, state.inode, state.byte_offset, state.head_hash, state.marker_hash]
        else '{}'
    end as place
from matching
join sources source on source.id = matching.source_id
join ingest_state state on state.source_id = source.id
left join lateral (
    select lines.generation
    from generation_lines lines
    where lines.source_id = matching.source_id and lines.first_line_no <= matching.line_no
    order by lines.first_line_no desc
    limit 1
) stretch on true
left join generations generation
    on generation.source_id = matching.source_id
    and generation.generation = stretch.generation
order by matching.logged_at, matching.line_no
limit 5
