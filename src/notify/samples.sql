-- Up to $3 entries that the rule of alert $2 of source $1 counted when the alert began, the
-- newest first. None for rules that are about something else than single entries.
with alert as (
    select
        alerts.source_id, alerts.rule_id, alerts.group_key, rule.kind,
        case
            when rule.kind in ('new', 'ratio', 'spike', 'baseline', 'distinct') then alerts.started_at
            else alerts.started_at - rule.within + interval '1 microsecond'
        end as matching_from,
        -- A long episode has more than anybody reads.
        least(alerts.ended_at, alerts.started_at + rule.within) as matching_until
    from alerts
    join alert_rules rule on rule.id = alerts.rule_id
    where alerts.source_id = $1
      and alerts.id = $2
      and rule.kind not in ('absence', 'blind', 'sql')
), found as (
    select matching.member_id, matching.logged_at, matching.line_no
    from alert
    cross join lateral (
        select member_id, logged_at, line_no, group_key, fingerprint
        from matching_entries
        where source_id = alert.source_id
          and rule_id = alert.rule_id
          and logged_at >= alert.matching_from
          and logged_at <= alert.matching_until
        -- Within its bounds; flattened, all rules and all entries would be looked through.
        offset 0
    ) matching
    where matching.group_key = alert.group_key
       -- A new rule without groups has one alert for each kind of message.
       or alert.kind = 'new' and matching.group_key = '' and matching.fingerprint::text = alert.group_key
    order by matching.logged_at desc, matching.line_no desc
    limit $3
)
select
    entry.logged_at, entry.level::text as level, left(entry.message, 2000) as message,
    source.path, source.timezone, entry.byte_offset
from found
join log_entries entry
    on entry.source_id = found.member_id
    and entry.logged_at = found.logged_at
    and entry.line_no = found.line_no
join sources source on source.id = entry.source_id
order by entry.logged_at desc, entry.line_no desc
