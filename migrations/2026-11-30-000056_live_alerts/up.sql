-- PostgreSQL loses entries of a GiST index whose only page is split while one scan of it starts
-- again and again, as the inner side of a join does: gistkillitems marks as dead what stands at
-- the places where the old page had dead entries (seen with PostgreSQL 15.18). An exclusion
-- constraint asks its index once for each row, which is safe. All other look-ups use B-trees.

-- A condition that does not imply the one of the constraint's index, so that no plan can use it.
alter table alerts
    add column is_live boolean not null generated always as (merged_into is null and retracted_at is null) stored;
comment on column alerts.is_live is 'Whether it was neither merged into another one nor retracted.';
create index live_alerts_of_group on alerts (source_id, rule_id, group_key, ended_at) where is_live;
create index live_alerts_of_rule on alerts (source_id, rule_id, ended_at) where is_live;

drop index hot_intervals_by_time;
create index intervals_of_group on hot_intervals (source_id, rule_id, group_key, hot_until);
create index intervals_by_end on hot_intervals (source_id, rule_id, hot_until);

create or replace view alert_episodes as
-- Hot intervals and the stored alerts within their reach, merged where they touch: the
-- whole of each episode, as the data that are stored now give it.
select
    merged.source_id,
    merged.rule_id,
    merged.group_key,
    lower(episode.during) as started_at,
    upper(episode.during) as ended_at,
    episode.measured
from (
    select
        source_id, rule_id, group_key,
        range_agg(during) as episodes,
        array_agg(lower(during)) as starts,
        array_agg(measured) as measures
    from (
        select source_id, rule_id, group_key, tstzrange(hot_from, hot_until, '[]') as during, measured
        from threshold_hot
        union all
        select judged.source_id, judged.rule_id, alert.group_key, tstzrange(alert.started_at, alert.ended_at, '[]'), alert.measured
        from rules_to_judge judged
        -- As above: distinct, of which there is no need, keeps the subquery from being
        -- flattened. Otherwise all alerts ever are read to find those few.
        cross join lateral (
            select distinct alerts.source_id, alerts.group_key, alerts.started_at, alerts.ended_at, alerts.measured
            from alerts
            where alerts.source_id = judged.source_id
              and alerts.rule_id = judged.rule_id
              and alerts.is_live
              -- An entry at dirty_to can make the rule hold up to two windows later.
              and alerts.started_at <= judged.dirty_to + 2 * judged.within + judged.keep_firing
              and alerts.ended_at >= judged.dirty_from
        ) alert
        where judged.kind = 'threshold'
          and judged.clear_below is null
    ) part
    group by source_id, rule_id, group_key
) merged
cross join lateral (
    -- Which episode a part fell into: the last one that starts no later than the part does.
    select whole.during, max(part.measured) as measured
    from unnest(merged.starts, merged.measures) as part (starts_at, measured)
    join unnest(merged.episodes) with ordinality as whole (during, place)
        on whole.place = width_bucket(part.starts_at, array(select lower(one) from unnest(merged.episodes) as one))
    group by whole.during
) episode;
