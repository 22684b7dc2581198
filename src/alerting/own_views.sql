-- The rules of host $1 that have a view of their own, with its name as SQL writes it.
select
    owner.id as source_id, rule.id as rule_id, rule.name, rule.view,
    quote_ident(namespace.nspname) || '.' || quote_ident(class.relname) as quoted
from alert_rules rule
join sources owner on owner.host = '*' and owner.path = rule.host
left join pg_class class on class.oid = to_regclass(rule.view) and class.relkind in ('v', 'm', 'r', 'p')
left join pg_namespace namespace on namespace.oid = class.relnamespace
where rule.host = $1
  and rule.kind = 'sql'
  and rule.retired_at is null
order by rule.name
