-- The columns that the view $1 of a rule must have, as it has them, with the name of the view as
-- SQL writes it.
select
    needed.name,
    quote_ident(namespace.nspname) || '.' || quote_ident(class.relname) as quoted,
    format_type(attribute.atttypid, null) as type_name,
    coalesce(case needed.wanted
        when 'a text' then true
        when 'a number' then type.typcategory = 'N'
        else attribute.atttypid = 'timestamptz'::regtype
    end, false) and attribute.attname is not null as is_right,
    needed.wanted
from (values
    (1, 'group_key', 'a text'),
    (2, 'started_at', 'timestamp with time zone'),
    (3, 'ended_at', 'timestamp with time zone'),
    (4, 'measured', 'a number')
) as needed (place, name, wanted)
left join pg_class class on class.oid = to_regclass($1) and class.relkind in ('v', 'm', 'r', 'p')
left join pg_namespace namespace on namespace.oid = class.relnamespace
left join pg_attribute attribute
    on attribute.attrelid = class.oid
    and attribute.attname = needed.name
    and attribute.attnum > 0
    and not attribute.attisdropped
left join pg_type type on type.oid = attribute.atttypid
order by needed.place
