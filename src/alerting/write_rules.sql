-- Makes or changes the rules of host $1 at tick $2; a retired one comes back into use.
-- $3 names, $4 kinds, $5 levels, $6 patterns, $7 counts, $8 windows in seconds, $9 groupings,
-- $10 severities, $11 summaries
insert into alert_rules as known (host, name, kind, levels, pattern, count, within, group_by,
                                  severity, summary, created_at, changed_at)
select
    $1, name, kind, string_to_array(levels, ',')::log_level[], pattern, count,
    make_interval(secs => within_seconds), string_to_array(group_by, ','), severity, summary,
    $2, $2
from unnest($3, $4, $5, $6, $7, $8, $9, $10, $11)
    as wanted (name, kind, levels, pattern, count, within_seconds, group_by, severity, summary)
on conflict on constraint one_rule_per_host_and_name do update set
    kind       = excluded.kind,
    levels     = excluded.levels,
    pattern    = excluded.pattern,
    count      = excluded.count,
    within     = excluded.within,
    group_by   = excluded.group_by,
    severity   = excluded.severity,
    summary    = excluded.summary,
    changed_at = excluded.changed_at,
    retired_at = null
where (known.kind, known.levels, known.pattern, known.count, known.within, known.group_by,
       known.severity, known.summary, known.retired_at)
    is distinct from (excluded.kind, excluded.levels, excluded.pattern, excluded.count,
                      excluded.within, excluded.group_by, excluded.severity, excluded.summary,
                      null::timestamptz)
