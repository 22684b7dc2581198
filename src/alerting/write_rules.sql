-- Makes or changes the rules of host $1 at tick $2, as $3 writes them; a retired one comes back
-- into use. Returns those that are new or changed.
with wanted as (
    select *
    from jsonb_to_recordset($3::jsonb) as rule (
        name text, kind text, levels log_level[], pattern text, exclude text[],
        match_entry boolean, sources text[], count integer, within bigint,
        percent double precision, at_least integer, factor double precision,
        floor double precision, lookback bigint, clear_below integer, steps text[], value text,
        stale_after bigint, view text, group_by text[], severity text, holds_for bigint,
        keep_firing bigint, active text, remind_every bigint, summary text, runbook text,
        literals text[]
    )
)
insert into alert_rules as known (
    host, name, kind, levels, pattern, exclude, match_entry, sources, count, within, percent,
    at_least, factor, floor, lookback, clear_below, steps, value, stale_after, view, group_by,
    severity, holds_for, keep_firing, active, remind_every, summary, runbook, literals,
    created_at, changed_at
)
select
    $1, name, kind, levels, pattern, exclude, match_entry, sources, count,
    make_interval(secs => within), percent, at_least, factor, floor,
    make_interval(secs => lookback), clear_below, steps, value, make_interval(secs => stale_after),
    view, group_by, severity, make_interval(secs => holds_for),
    make_interval(secs => keep_firing), active, make_interval(secs => remind_every), summary, runbook,
    literals, $2, $2
from wanted
on conflict on constraint one_rule_per_host_and_name do update set
    kind        = excluded.kind,
    levels      = excluded.levels,
    pattern     = excluded.pattern,
    exclude     = excluded.exclude,
    match_entry = excluded.match_entry,
    sources     = excluded.sources,
    count       = excluded.count,
    within      = excluded.within,
    percent     = excluded.percent,
    at_least    = excluded.at_least,
    factor      = excluded.factor,
    floor       = excluded.floor,
    lookback    = excluded.lookback,
    clear_below = excluded.clear_below,
    steps       = excluded.steps,
    value       = excluded.value,
    stale_after = excluded.stale_after,
    view        = excluded.view,
    group_by    = excluded.group_by,
    severity    = excluded.severity,
    holds_for   = excluded.holds_for,
    keep_firing = excluded.keep_firing,
    active      = excluded.active,
    remind_every = excluded.remind_every,
    summary     = excluded.summary,
    runbook     = excluded.runbook,
    literals    = excluded.literals,
    changed_at  = excluded.changed_at,
    retired_at  = null
where (known.kind, known.levels, known.pattern, known.exclude, known.match_entry, known.sources,
       known.count, known.within, known.percent, known.at_least, known.factor, known.floor,
       known.lookback, known.clear_below, known.steps, known.value, known.stale_after, known.view,
       known.group_by, known.severity, known.holds_for, known.keep_firing, known.active,
       known.remind_every, known.summary, known.runbook, known.retired_at)
    is distinct from (
       excluded.kind, excluded.levels, excluded.pattern, excluded.exclude, excluded.match_entry,
       excluded.sources, excluded.count, excluded.within, excluded.percent, excluded.at_least,
       excluded.factor, excluded.floor, excluded.lookback, excluded.clear_below, excluded.steps,
       excluded.value, excluded.stale_after, excluded.view, excluded.group_by, excluded.severity,
       excluded.holds_for, excluded.keep_firing, excluded.active, excluded.remind_every, excluded.summary,
       excluded.runbook, null::timestamptz)
returning id
