-- Up to $3 entries for each of the alerts $2 of source $1: those of samples.sql. Alerts of a rule
-- that began about the same time look at the entries together, as to look at all of them for each
-- alert is too much where there are thousands.
with alert as (
    select
        alerts.id, alerts.rule_id, alerts.group_key, rule.kind,
        floor(extract(epoch from alerts.started_at) / greatest(4 * extract(epoch from rule.within), 1)) as part,
        case
            when rule.kind in ('new', 'ratio', 'spike', 'baseline', 'distinct') then alerts.started_at
            else alerts.started_at - rule.within + interval '1 microsecond'
        end as matching_from,
        -- A long episode has more than anybody reads.
        least(alerts.ended_at, alerts.started_at + rule.within) as matching_until
    from alerts
    join alert_rules rule on rule.id = alerts.rule_id
    where alerts.source_id = $1
      and alerts.id = any ($2)
      and rule.kind not in ('absence', 'blind', 'sql')
), look as (
    select rule_id, kind, part, min(matching_from) as matching_from, max(matching_until) as matching_until
    from alert
    group by rule_id, kind, part
), seen as materialized (
    select
        look.rule_id, look.part, matching.member_id, matching.logged_at, matching.line_no,
        -- A new rule without groups has one alert for each kind of message.
        case
            when look.kind = 'new' and matching.group_key = '' then matching.fingerprint::text
            else matching.group_key
        end as group_key
    from look
    cross join lateral (
        select member_id, logged_at, line_no, group_key, fingerprint
        from matching_entries
        where source_id = $1
          and rule_id = look.rule_id
          and logged_at >= look.matching_from
          and logged_at <= look.matching_until
        -- Within its bounds; flattened, all rules and all entries would be looked through.
        offset 0
    ) matching
), found as (
    select
        alert.id, seen.member_id, seen.logged_at, seen.line_no,
        row_number() over (partition by alert.id order by seen.logged_at desc, seen.line_no desc) as place
    from alert
    join seen
        on seen.rule_id = alert.rule_id
        and seen.part = alert.part
        and seen.group_key = alert.group_key
        and seen.logged_at >= alert.matching_from
        and seen.logged_at <= alert.matching_until
)
select
    found.id as alert_id,
    entry.logged_at, entry.level::text as level, left(entry.message, 2000) as message,
    source.path, source.timezone, entry.byte_offset
from found
join log_entries entry
    on entry.source_id = found.member_id
    and entry.logged_at = found.logged_at
    and entry.line_no = found.line_no
join sources source on source.id = entry.source_id
where found.place <= $3
order by found.id, entry.logged_at desc, entry.line_no desc
