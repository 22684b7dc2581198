-- Where late entries joined stored alerts into one episode, the one that started first
-- survives and the others are marked as merged into it.
-- $1 source, $3 rules, $4 groups, $8 and $9 from when to when (null: for ever) stored alerts are
-- theirs ($2 and $5 to $7 are not needed here)
with episode as (
    select row_number() over () as place, rule_id, group_key, tstzrange(reach_from, coalesce(reach_until, 'infinity'), '[]') as during
    from unnest($3, $4, $8, $9) as found (rule_id, group_key, reach_from, reach_until)
), member as (
    -- The stored alerts that lie within one episode. One that is to be announced, for the
    -- first time or again, was told one time less than its number says.
    select
        alert.id, alert.fired_at, alert.resolved_at,
        alert.fired_at is not null and alert.resolved_at is null as fires,
        case when alert.fired_at is null then alert.number - 1 else alert.number end as told,
        first_value(alert.id) over (partition by episode.place order by alert.started_at, alert.id) as survivor_id
    from episode
    -- Distinct, of which there is no need, makes this one look-up in the constraint's index
    -- for each episode: the planner takes it for cheaper to read all alerts ever.
    cross join lateral (
        select distinct id, started_at, number, fired_at, resolved_at
        from alerts
        where alerts.source_id = $1
          and alerts.rule_id = episode.rule_id
          and alerts.group_key = episode.group_key
          and alerts.merged_into is null
          and alerts.retracted_at is null
          and tstzrange(alerts.started_at, alerts.ended_at, '[]') <@ episode.during
    ) alert
), survivor as (
    -- What people were told about any of them, they were told about the survivor: it fires
    -- if one of them was announced as firing, and is over if the announced ones are over.
    select
        survivor_id,
        min(fired_at) as fired_at,
        case when bool_or(fires) or min(fired_at) is null then null else max(resolved_at) end as resolved_at,
        case
            -- None was announced, or all those that were are to be announced again.
            when min(fired_at) is null then max(told) + 1
            -- A survivor that was over fires again by what it absorbs: its end will be
            -- announced once more.
            when bool_or(fires) and bool_or(id = survivor_id and told > 0 and not fires) then max(told) + 1
            else max(told)
        end as number
    from member
    group by survivor_id
    having count(*) > 1
), moved as (
    -- The members, and those that a now absorbed one had absorbed before.
    select member.id, survivor_id
    from member
    join survivor using (survivor_id)
    union all
    select absorbed.id, survivor_id
    from member
    join survivor using (survivor_id)
    join alerts absorbed on absorbed.source_id = $1 and absorbed.merged_into = member.id
    where member.id <> survivor_id
)
update alerts alert
set merged_into = case when alert.id = survivor.survivor_id then null else survivor.survivor_id end,
    fired_at    = case when alert.id = survivor.survivor_id then survivor.fired_at else alert.fired_at end,
    resolved_at = case when alert.id = survivor.survivor_id then survivor.resolved_at else alert.resolved_at end,
    number      = case when alert.id = survivor.survivor_id then survivor.number else alert.number end
from moved
join survivor using (survivor_id)
where alert.source_id = $1
  and alert.id = moved.id
