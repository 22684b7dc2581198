-- The first five of them, with the file that they stand in.
select
    matching.logged_at, matching.level::text as level, left(matching.message, 4000) as message,
    coalesce(
        (
            select generation.path
            from generations generation
            where generation.source_id = matching.source_id
              and generation.first_line_no <= matching.line_no
              and matching.line_no < state.first_line_no
            order by generation.first_line_no desc
            limit 1
        ),
        source.path
    ) as path,
    matching.byte_offset
from matching
join sources source on source.id = matching.source_id
join ingest_state state on state.source_id = matching.source_id
order by matching.logged_at, matching.line_no
limit 5
