-- Entries that match rule $2, which is that of alert $1 or a copy of it, for the group of the
-- alert: within it, and in the window before its start where the rule has one that slides. None
-- where the rule is about something else than entries.
with alert as (
    select
        alerts.source_id, rule.id as rule_id, alerts.group_key, rule.kind, alerts.ended_at,
        case
            when rule.kind in ('new', 'ratio', 'spike', 'baseline', 'distinct') then alerts.started_at
            else alerts.started_at - rule.within + interval '1 microsecond'
        end as matching_from
    from alerts
    join alert_rules rule on rule.id = $2
    where alerts.id = $1
), matching as (
    select distinct
        entry.source_id, entry.logged_at, entry.line_no, entry.byte_offset, entry.level, entry.message, entry.fingerprint
    from alert
    cross join lateral (
        select member_id, logged_at, line_no, group_key, fingerprint
        from matching_entries
        where matching_entries.source_id = alert.source_id
          and matching_entries.rule_id = alert.rule_id
          and matching_entries.logged_at >= alert.matching_from
          and matching_entries.logged_at <= alert.ended_at
        -- Within its bounds; flattened, all rules and all entries would be looked through.
        offset 0
    ) found
    join log_entries entry
        on entry.source_id = found.member_id
        and entry.logged_at = found.logged_at
        and entry.line_no = found.line_no
    where alert.kind not in ('blind', 'sql')
      -- A moment is its own end; other alerts are over at theirs.
      and (found.logged_at < alert.ended_at or alert.kind in ('new', 'sequence'))
      and (
          found.group_key = alert.group_key
          -- A new rule without groups has one for each kind of message.
          or alert.kind = 'new' and found.group_key = '' and found.fingerprint::text = alert.group_key
      )
)
