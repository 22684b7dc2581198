-- The alert about a silence ends also where the rule no longer looks for silence.
create or replace view unreadable_hot as
select
    judged.source_id,
    judged.rule_id,
    error.group_key,
    error.hot_from,
    error.hot_until,
    error.hot_from as full_from,
    null::timestamptz as known_from,
    error.measured::double precision as measured,
    true as is_hot
from (
    -- They are few, and whether one is there does not depend on the ranges.
    select distinct source_id, rule_id, stale_after from rules_to_judge where kind = 'blind'
) judged
join ingest_state state on state.source_id = judged.source_id
cross join lateral (
    select 'unreadable' as group_key, state.last_error_since as hot_from, 'infinity'::timestamptz as hot_until, 1 as measured
    where state.last_error is not null
    union all
    select kept.group_key, kept.hot_from,
        greatest(kept.hot_from, coalesce(state.last_error_since, state.read_to_end_at, state.last_logged_at)), 1
    from hot_intervals kept
    where kept.source_id = judged.source_id
      and kept.rule_id = judged.rule_id
      and kept.group_key = 'unreadable'
      and kept.hot_until = 'infinity'
      and state.last_error_since is distinct from kept.hot_from
    union all
    -- A rule that had a limit, and has none any more, calls nothing silent.
    select kept.group_key, kept.hot_from,
        greatest(kept.hot_from, coalesce(state.read_to_end_at, state.last_logged_at)), kept.measured
    from hot_intervals kept
    where judged.stale_after is null
      and kept.source_id = judged.source_id
      and kept.rule_id = judged.rule_id
      and kept.group_key = 'silent'
      and kept.hot_until = 'infinity'
    union all
    -- A rule that fails again and again sees nothing either.
    select left('rule ' || failing.name, 200) as group_key, backlog.failed_since, 'infinity'::timestamptz as hot_until, backlog.failures
    from rule_backlog backlog
    join alert_rules failing on failing.id = backlog.rule_id
    where backlog.source_id = judged.source_id
      and backlog.failures >= 3
    union all
    select kept.group_key, kept.hot_from,
        greatest(kept.hot_from, coalesce(state.read_to_end_at, state.last_logged_at)), kept.measured
    from hot_intervals kept
    where kept.source_id = judged.source_id
      and kept.rule_id = judged.rule_id
      and kept.group_key like 'rule %'
      and kept.hot_until = 'infinity'
      and not exists (
          select
          from rule_backlog backlog
          join alert_rules failing on failing.id = backlog.rule_id
          where backlog.source_id = judged.source_id
            and backlog.failures > 0
            and kept.group_key = left('rule ' || failing.name, 200)
      )
    union all
    select 'gap' as group_key, gap.detected_at, gap.detected_at, sum(coalesce(gap.lost_bytes, 0))
    from ingest_gaps gap
    where gap.source_id = judged.source_id
      and gap.detected_at <@ (state.counted + state.dirty)
    group by gap.detected_at
) error;
