-- Where late entries joined stored alerts into one episode, the one that started first
-- survives and the others are marked as merged into it.
-- $1 source, $3 rules, $4 groups, $8 and $9 from when to when (null: for ever) stored alerts are
-- theirs ($2 and $5 to $7 are not needed here)
with episode as (
    select row_number() over () as place, rule_id, group_key, reach_from, coalesce(reach_until, 'infinity') as reach_until
    from unnest($3, $4, $8, $9) as found (rule_id, group_key, reach_from, reach_until)
), member as (
    -- The stored alerts that lie within one episode. One that is to be announced, for the
    -- first time or again, was told one time less than its number says.
    select
        alert.id, alert.fired_at, alert.resolved_at, alert.told_at, alert.held_back, alert.look_at,
        alert.reminders, alert.acked_at, alert.acked_by, alert.closed_at,
        alert.fired_at is not null and alert.resolved_at is null as fires,
        case when alert.fired_at is null then alert.number - 1 else alert.number end as told,
        first_value(alert.id) over (partition by episode.place order by alert.started_at, alert.id) as survivor_id
    from episode
    -- Distinct, of which there is no need, makes this one look-up in an index
    -- for each episode: the planner takes it for cheaper to read all alerts ever.
    cross join lateral (
        select distinct
            id, started_at, number, fired_at, resolved_at, told_at, held_back, look_at, reminders,
            acked_at, acked_by, closed_at
        from alerts
        where alerts.source_id = $1
          and alerts.rule_id = episode.rule_id
          and alerts.group_key = episode.group_key
          and alerts.is_live
          and alerts.started_at >= episode.reach_from
          and alerts.ended_at between episode.reach_from and episode.reach_until
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
        end as number,
        max(told_at) as told_at,
        case when max(told_at) is null then max(held_back) end as held_back,
        min(look_at) as look_at,
        sum(reminders)::integer as reminders,
        -- Taken on or closed as a whole only if all that fire are.
        case when bool_and(acked_at is not null) filter (where resolved_at is null) then max(acked_at) end as acked_at,
        case when bool_and(acked_at is not null) filter (where resolved_at is null) then max(acked_by) end as acked_by,
        case when bool_and(closed_at is not null) then max(closed_at) end as closed_at
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
    number      = case when alert.id = survivor.survivor_id then survivor.number else alert.number end,
    told_at     = case when alert.id = survivor.survivor_id then survivor.told_at else alert.told_at end,
    held_back   = case when alert.id = survivor.survivor_id then survivor.held_back else alert.held_back end,
    look_at     = case when alert.id = survivor.survivor_id then survivor.look_at end,
    reminders   = case when alert.id = survivor.survivor_id then survivor.reminders else alert.reminders end,
    acked_at    = case when alert.id = survivor.survivor_id then survivor.acked_at else alert.acked_at end,
    acked_by    = case when alert.id = survivor.survivor_id then survivor.acked_by else alert.acked_by end,
    closed_at   = case when alert.id = survivor.survivor_id then survivor.closed_at else alert.closed_at end
from moved
join survivor using (survivor_id)
where alert.source_id = $1
  and alert.id = moved.id
