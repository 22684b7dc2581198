-- Writes a copy of the rule of alert $1 that is in use, if the rule itself has left the config;
-- returns its number. Name and number are nobody else's: they have the process of this session in
-- them. The number is below 0, so that none of the usual ones is used up.
insert into alert_rules (
    id, host, name, kind, levels, pattern, exclude, match_entry, sources, count, within, percent,
    at_least, factor, floor, lookback, clear_below, steps, value, stale_after, view, group_by,
    severity, created_at, changed_at
)
select
    -(pg_backend_pid()::bigint * 1000), rule.host, format(e'\x01%s', pg_backend_pid()),
    rule.kind, rule.levels, rule.pattern, rule.exclude, rule.match_entry, rule.sources, rule.count,
    rule.within, rule.percent, rule.at_least, rule.factor, rule.floor, rule.lookback,
    rule.clear_below, rule.steps, rule.value, rule.stale_after, rule.view, rule.group_by,
    rule.severity, rule.created_at, rule.changed_at
from alerts alert
join alert_rules rule on rule.id = alert.rule_id
where alert.id = $1 and rule.retired_at is not null
returning id
