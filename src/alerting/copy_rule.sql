-- Writes rule $3 for host $1 as the $2nd that this transaction tries, at tick $4; returns its
-- number. Name and number are nobody else's: they have the process of this session in them.
-- The number is below 0, so that none of the usual ones is used up.
insert into alert_rules (
    id, host, name, kind, levels, pattern, exclude, match_entry, sources, count, within, percent,
    at_least, factor, floor, lookback, clear_below, steps, value, stale_after, view, group_by,
    severity, holds_for, keep_firing, active, summary, runbook, literals, created_at,
    changed_at
)
select
    -(pg_backend_pid()::bigint * 1000 + $2), $1, format(e'\x01%s %s', pg_backend_pid(), $2),
    kind, levels, pattern, exclude, match_entry, sources, count,
    make_interval(secs => within), percent, at_least, factor, floor,
    make_interval(secs => lookback), clear_below, steps, value, make_interval(secs => stale_after),
    view, group_by, severity, make_interval(secs => holds_for),
    make_interval(secs => keep_firing), active, summary, runbook, literals, $4, $4
from jsonb_to_record($3) as rule (
    kind text, levels log_level[], pattern text, exclude text[], match_entry boolean,
    sources text[], count integer, within bigint, percent double precision, at_least integer,
    factor double precision, floor double precision, lookback bigint, clear_below integer,
    steps text[], value text, stale_after bigint, view text, group_by text[], severity text,
    holds_for bigint, keep_firing bigint, active text, summary text, runbook text,
    literals text[]
)
returning id
