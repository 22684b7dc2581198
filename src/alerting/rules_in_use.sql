-- The rules in use of host $1, as the config writes them.
select
    name, kind,
    array_to_string(levels, ',') as levels,
    pattern, count,
    extract(epoch from within)::bigint as within_seconds,
    array_to_string(group_by, ',') as group_by,
    severity, summary
from alert_rules
where host = $1 and retired_at is null
