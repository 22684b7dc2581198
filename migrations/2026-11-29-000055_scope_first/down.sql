create or replace view matching_counts as
-- As matching_entries: to be read for one source and rule, and a range of times.
select minutes.source_id, minutes.rule_id, '' as group_key, minutes.minute as at, minutes.matching
from rule_minutes minutes
join rule_scopes scope on scope.source_id = minutes.source_id and scope.rule_id = minutes.rule_id
where scope.counts_suffice
union all
select entry.source_id, entry.rule_id, entry.group_key, entry.logged_at, 1
from matching_entries entry
join rule_scopes scope on scope.source_id = entry.source_id and scope.rule_id = entry.rule_id
where not scope.counts_suffice;

create or replace view rule_signs_of_life as
-- As matching_entries: to be read for one source and rule, and a range of periods. The lines
-- between the first and the last one of a minute are taken to be of the time of the last.
select minutes.source_id, minutes.rule_id, '' as group_key, minutes.minute as period, sign.at, sign.lines
from rule_minutes minutes
join rule_scopes scope on scope.source_id = minutes.source_id and scope.rule_id = minutes.rule_id
cross join lateral (values (minutes.first_at, 1), (minutes.last_at, minutes.lines - 1)) as sign (at, lines)
where (scope.counts_suffice or scope.kind = 'blind')
  and sign.lines > 0
union all
select entry.source_id, entry.rule_id, entry.group_key, entry.logged_at, entry.logged_at, 1
from matching_entries entry
join rule_scopes scope on scope.source_id = entry.source_id and scope.rule_id = entry.rule_id
where not scope.counts_suffice
  and scope.kind <> 'blind';
