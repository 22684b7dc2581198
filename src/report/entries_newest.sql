, newest as (
    -- The newest $8 of each source, from the end of its index, and of those the newest.
    select entry.*
    from sources source
    cross join lateral (
        select *
        from matching
        where matching.source_id = source.id
        order by matching.logged_at desc, matching.line_no desc
        limit $8
    ) entry
    where $1 is null or source.id = any ($1)
    order by entry.logged_at desc, entry.source_id desc, entry.line_no desc
    limit $8
)
-- With the file that each stands in.
select
    source.name as source, source.host, coalesce(generation.path, source.path) as path,
    entry.byte_offset, entry.logged_at, entry.level::text as level, entry.message, entry.fields,
    entry.fingerprint
from newest entry
join sources source on source.id = entry.source_id
left join lateral (
    select lines.generation
    from generation_lines lines
    where lines.source_id = entry.source_id and lines.first_line_no <= entry.line_no
    order by lines.first_line_no desc
    limit 1
) stretch on true
left join generations generation
    on generation.source_id = entry.source_id
    and generation.generation = stretch.generation
order by entry.logged_at desc, entry.source_id desc, entry.line_no desc
