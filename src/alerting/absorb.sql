-- Where late entries joined stored alerts into one episode, the one that started first
-- survives and the others are marked as merged into it.
-- $1 source, $3 rules, $4 groups, $5 starts, $6 ends ($2 and $7 are not needed here)
with episode as (
    select row_number() over () as place, rule_id, group_key, tstzrange(started_at, ended_at, '[]') as during
    from unnest($3, $4, $5, $6) as found (rule_id, group_key, started_at, ended_at)
), member as (
    -- The stored alerts that lie within one episode.
    select
        alert.id, alert.number, alert.fired_at, alert.resolved_at,
        first_value(alert.id) over (partition by episode.place order by alert.started_at, alert.id) as survivor_id
    from episode
    join alerts alert
        on alert.source_id = $1
        and alert.rule_id = episode.rule_id
        and alert.group_key = episode.group_key
        and alert.merged_into is null
        and alert.retracted_at is null
        and tstzrange(alert.started_at, alert.ended_at, '[]') <@ episode.during
), survivor as (
    -- What people were told about any of them, they were told about the survivor: it fires
    -- if one of them was announced as firing, and is over if the announced ones are over.
    select
        survivor_id,
        min(fired_at) as fired_at,
        case
            when bool_or(fired_at is not null and resolved_at is null) then null
            else max(resolved_at)
        end as resolved_at,
        max(number) as number,
        bool_or(fired_at is not null and resolved_at is null) as fires
    from member
    group by survivor_id
    having count(*) > 1
)
update alerts alert
set merged_into = case when alert.id = survivor.survivor_id then null else survivor.survivor_id end,
    fired_at    = case when alert.id = survivor.survivor_id then survivor.fired_at else alert.fired_at end,
    resolved_at = case when alert.id = survivor.survivor_id then survivor.resolved_at else alert.resolved_at end,
    -- A survivor that was over and fires again by what it absorbed is at its next number: its
    -- end will be announced once more.
    number      = case
        when alert.id <> survivor.survivor_id then alert.number
        when survivor.fires and alert.resolved_at is not null then survivor.number + 1
        else survivor.number
    end
from survivor
where alert.source_id = $1
  and (
      alert.id in (select id from member where member.survivor_id = survivor.survivor_id)
      -- Those that a now absorbed alert had absorbed before.
      or alert.merged_into in (select id from member where member.survivor_id = survivor.survivor_id)
  )
