-- The rules in use of host $1, as the config writes them.
select jsonb_build_object(
    'name', name,
    'kind', kind,
    'levels', levels,
    'pattern', pattern,
    'exclude', exclude,
    'match_entry', match_entry,
    'sources', sources,
    'count', count,
    'within', extract(epoch from within)::bigint,
    'percent', percent,
    'at_least', at_least,
    'factor', factor,
    'floor', floor,
    'lookback', extract(epoch from lookback)::bigint,
    'clear_below', clear_below,
    'steps', steps,
    'value', value,
    'stale_after', extract(epoch from stale_after)::bigint,
    'view', view,
    'group_by', group_by,
    'severity', severity,
    'holds_for', extract(epoch from holds_for)::bigint,
    'keep_firing', extract(epoch from keep_firing)::bigint,
    'active', active,
    'remind_every', extract(epoch from remind_every)::bigint,
    'summary', summary,
    'runbook', runbook
)::text as rule
from alert_rules
where host = $1 and retired_at is null
