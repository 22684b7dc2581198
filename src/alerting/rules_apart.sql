-- The rules that judge source $1, and how often they failed; whether it is time at tick $2 to try
-- those that did again.
select
    scope.rule_id as id, rule.name, source.path as source,
    coalesce(backlog.failures, 0)::bigint as failures,
    coalesce(backlog.next_try_at <= $2, true) as is_due
from rule_scopes scope
join alert_rules rule on rule.id = scope.rule_id
join sources source on source.id = scope.source_id
left join rule_backlog backlog on backlog.source_id = scope.source_id and backlog.rule_id = scope.rule_id
where scope.source_id = $1
  and scope.kind <> 'sql'
order by rule.name
