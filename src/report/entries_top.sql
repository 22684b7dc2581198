, shapes as (
    -- The $8 most frequent messages.
    select
        fingerprint, count(*) as count, max(level) as level,
        min(logged_at) as first_logged_at, max(logged_at) as last_logged_at
    from matching
    where $1 is null or source_id = any ($1)
    group by fingerprint
    order by count(*) desc, max(logged_at) desc, fingerprint
    limit $8
)
-- With the text of the last one. To carry a text along for each group would cost more.
select
    shapes.fingerprint, shapes.count, shapes.level::text as level,
    shapes.first_logged_at, shapes.last_logged_at, coalesce(sample.message, '') as message
from shapes
left join lateral (
    select matching.message
    from sources source
    join matching
        on matching.source_id = source.id
        and matching.logged_at = shapes.last_logged_at
        and matching.fingerprint = shapes.fingerprint
    where $1 is null or source.id = any ($1)
    order by matching.source_id desc, matching.line_no desc
    limit 1
) sample on true
order by shapes.count desc, shapes.last_logged_at desc, shapes.fingerprint
