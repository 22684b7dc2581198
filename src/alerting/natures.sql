-- The rules that judge the sources $1, and up to when they only learn what there is.
select
    scope.source_id, scope.rule_id, scope.kind,
    (extract(epoch from scope.keep_firing) * 1000000)::bigint as keep_firing,
    case when backlog.is_learning then upper(backlog.dirty) end as learned_until
from rule_scopes scope
left join rule_backlog backlog on backlog.source_id = scope.source_id and backlog.rule_id = scope.rule_id
where scope.source_id = any ($1)
