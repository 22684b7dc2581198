-- Rules $1 are new or changed at tick $2. Those that look back learn what there is; those that
-- tell of what is missing look at what is missing now.
with scope as (
    select scope.source_id, scope.rule_id, scope.kind, scope.within, scope.lookback, position.last_logged_at
    from rule_scopes scope
    join lateral (
        select max(state.last_logged_at) as last_logged_at
        from ingest_state state
        where state.source_id = any (scope.members)
    ) position on true
    where scope.rule_id = any ($1)
      and scope.kind in ('new', 'absence', 'blind')
), learning as (
    insert into rule_backlog (source_id, rule_id, dirty, is_learning)
    select source_id, rule_id,
        tstzmultirange(tstzrange(last_logged_at - lookback, last_logged_at, '[]')), true
    from scope
    where last_logged_at is not null
      and kind in ('new', 'absence')
    on conflict on constraint rule_backlog_pkey do update set
        dirty       = excluded.dirty,
        is_learning = true
)
update ingest_state
set counted     = counted + coalesce(now.moments, '{}'),
    judge_again = true,
    recount     = true
from (
    select distinct source_id from rule_scopes where rule_id = any ($1)
) judged
left join (
    select source_id, range_agg(tstzrange(at, at, '[]')) as moments
    from (
        select source_id, coalesce(last_logged_at, $2) as at from scope
        union
        -- Whether a log can be read does not depend on its lines.
        select source_id, $2 from scope where kind = 'blind'
    ) moment
    group by source_id
) now on now.source_id = judged.source_id
where ingest_state.source_id = judged.source_id
