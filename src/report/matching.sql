-- Entries that match the rule of alert $1 within it, one window before its start included.
with alert as (
    select alerts.source_id, alerts.started_at, alerts.ended_at,
           rule.levels, rule.pattern, rule.within
    from alerts
    join alert_rules rule on rule.id = alerts.rule_id
    where alerts.id = $1
), matching as (
    select entry.source_id, entry.logged_at, entry.line_no, entry.byte_offset, entry.level, entry.message
    from alert
    join log_entries entry
        on entry.source_id = alert.source_id
        and entry.logged_at > alert.started_at - alert.within
        and entry.logged_at < alert.ended_at
        and entry.level = any (alert.levels)
        and (alert.pattern is null or split_part(entry.message, e'\n', 1) ~ alert.pattern)
)
