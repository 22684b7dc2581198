-- Alerts of source $1 that no longer hold are retracted at tick $2 ($3), and those of which less
-- holds are shortened: $4 numbers, $5 starts, $6 ends (null: for ever).
update alerts alert
set retracted_at = case when cut.started_at is null then $2 end,
    started_at   = coalesce(cut.started_at, alert.started_at),
    ended_at     = case when cut.started_at is null then alert.ended_at else coalesce(cut.ended_at, 'infinity') end
from (
    select id, null::timestamptz as started_at, null::timestamptz as ended_at
    from unnest($3) as retracted (id)
    union all
    select id, started_at, ended_at
    from unnest($4, $5, $6) as shortened (id, started_at, ended_at)
) cut
where alert.source_id = $1
  and alert.id = cut.id
