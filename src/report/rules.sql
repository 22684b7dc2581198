-- What is known of the rules in use of host $1.
select
    rule.name,
    coalesce(alert.open_alerts, 0) as open_alerts,
    alert.last_started_at,
    coalesce(failing.sources, 0) as failing_sources,
    failing.failed_since as failing_since,
    failing.last_error
from alert_rules rule
left join (
    select
        rule_id,
        count(*) filter (where resolved_at is null) as open_alerts,
        max(started_at) as last_started_at
    from alerts
    where merged_into is null and retracted_at is null
    group by rule_id
) alert on alert.rule_id = rule.id
left join (
    select
        rule_id,
        count(*) as sources,
        min(failed_since) as failed_since,
        (array_agg(last_error order by failed_since desc))[1] as last_error
    from rule_backlog
    where failures > 0
    group by rule_id
) failing on failing.rule_id = rule.id
where rule.host = $1
  and rule.retired_at is null
