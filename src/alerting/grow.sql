-- Stored alerts grow to the whole of their episode. One that was over and holds again now is
-- to be announced again, under its next number.
-- $1 source, $2 tick, $3 rules, $4 groups, $5 starts, $6 ends (null: for ever), $7 measures,
-- $8 and $9 from when to when stored alerts are theirs
with episode as (
    select
        rule_id, group_key, started_at, coalesce(ended_at, 'infinity') as ended_at, measured,
        reach_from, coalesce(reach_until, 'infinity') as reach_until
    from unnest($3, $4, $5, $6, $7, $8, $9)
        as found (rule_id, group_key, started_at, ended_at, measured, reach_from, reach_until)
), grown as (
    -- As in absorb.sql: distinct makes it one look-up for each episode.
    select
        stored.id, episode.started_at, episode.ended_at, episode.measured,
        -- What somebody has closed stays closed.
        stored.is_over and episode.ended_at > $2 as fires_again
    from episode
    cross join lateral (
        select distinct
            id, started_at, ended_at, measured, resolved_at is not null and closed_at is null as is_over
        from alerts
        where alerts.source_id = $1
          and alerts.rule_id = episode.rule_id
          and alerts.group_key = episode.group_key
          and alerts.is_live
          and alerts.started_at >= episode.reach_from
          and alerts.ended_at between episode.reach_from and episode.reach_until
    ) stored
    where (stored.started_at, stored.ended_at) <> (episode.started_at, episode.ended_at)
       or stored.measured <> episode.measured
    -- Keeps the look-ups out of the join with the alerts, which would repeat them for each alert.
    order by stored.id
)
update alerts alert
set started_at  = grown.started_at,
    ended_at    = grown.ended_at,
    measured    = grown.measured,
    fired_at    = case when fires_again then null else alert.fired_at end,
    -- Who was told of it and who took it on: that was about the time before.
    told_at     = case when fires_again then null else alert.told_at end,
    held_back   = case when fires_again then null else alert.held_back end,
    acked_at    = case when fires_again then null else alert.acked_at end,
    acked_by    = case when fires_again then null else alert.acked_by end,
    number      = case when fires_again and alert.fired_at is not null then alert.number + 1 else alert.number end,
    -- One that was over without having been announced may last long enough now.
    resolved_at = case when fires_again or alert.fired_at is null and alert.closed_at is null then null else alert.resolved_at end
from grown
where alert.source_id = $1
  and alert.id = grown.id
