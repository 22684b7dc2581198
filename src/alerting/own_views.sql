-- The rules of host $1 that have a view of their own.
select owner.id as source_id, rule.id as rule_id, rule.name, rule.view
from alert_rules rule
join sources owner on owner.host = '*' and owner.path = rule.host
where rule.host = $1
  and rule.kind = 'sql'
  and rule.retired_at is null
order by rule.name
