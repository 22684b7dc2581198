-- The view $1 of a rule as SQL writes its name.
select quote_ident(namespace.nspname) || '.' || quote_ident(class.relname) as quoted
from pg_class class
join pg_namespace namespace on namespace.oid = class.relnamespace
where class.oid = to_regclass($1)
  and class.relkind in ('v', 'm', 'r', 'p')
