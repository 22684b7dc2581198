-- What the messages of the notifications $1 say.
select
    notification.id, notification.alert_id, notification.kind, notification.number, notification.further,
    notification.created_at, notification.attempts,
    -- One that is over when it is first told is told once, as both.
    notification.kind = 'fired' or notification.kind = 'resolved' and not exists (
        select from notifications fired
        where fired.source_id = notification.source_id
          and fired.alert_id = notification.alert_id
          and fired.channel = notification.channel
          and fired.kind = 'fired'
          and fired.number = notification.number
    ) as tells_beginning,
    rule.name as rule, rule.kind as rule_kind, alert.group_key as "group", rule.factor, rule.runbook,
    coalesce(extract(epoch from rule.lookback), 0)::bigint as lookback_seconds,
    source.host = '*' as is_across, alert.retracted_at is not null as is_withdrawn,
    alert.severity,
    case when cardinality(rule.levels) < 6 then array_to_string(rule.levels, ',') else '' end as levels,
    extract(epoch from rule.within)::bigint as within_seconds, rule.summary,
    source.id as source_id, source.name as source, source.path, source.timezone, source.first_seen_at,
    notification.host,
    -- Rules over several sources have a source that stands for them, of one host or of all.
    nullif(case when source.host = '*' then source.path else source.host end, '*') as about_host,
    alert.started_at,
    -- Closed by hand, it has lasted until then.
    case
        when alert.closed_at is not null then greatest(alert.closed_at, alert.started_at)
        else nullif(alert.ended_at, 'infinity')
    end as ended_at,
    alert.measured, alert.threshold,
    entry.sample
from notifications notification
join alerts alert on alert.source_id = notification.source_id and alert.id = notification.alert_id
join alert_rules rule on rule.id = alert.rule_id
join sources source on source.id = alert.source_id
left join lateral (
    select left(split_part(log_entries.message, e'\n', 1), 1000) as sample
    from matching_entries matching
    join log_entries
        on log_entries.source_id = matching.member_id
        and log_entries.logged_at = matching.logged_at
        and log_entries.line_no = matching.line_no
    where rule.kind not in ('ratio', 'spike', 'baseline', 'absence', 'missing_follow_up', 'blind', 'sql')
      and matching.source_id = alert.source_id
      and matching.rule_id = alert.rule_id
      and matching.logged_at = alert.started_at
      -- A new rule without groups has one alert for each kind of message.
      and (
          matching.group_key = alert.group_key
          or rule.kind = 'new' and matching.group_key = '' and matching.fingerprint::text = alert.group_key
      )
    order by matching.line_no desc
    limit 1
) entry on true
where notification.id = any ($1)
order by alert.started_at, notification.id
