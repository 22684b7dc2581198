-- How many entries match each pattern of rule $1 from $2 to $3, by the source that they stand
-- in. A bucket ($4) holds its beginning and not its end, a window its end and not its beginning.
select
    scope.source_id as judged_as, member.name as source, member.host, member.path, step.number as step,
    coalesce(found.matching, 0) as matching, null::bigint as of
from rule_scopes scope
cross join lateral unnest(scope.members) as one (source_id)
join sources member on member.id = one.source_id
cross join lateral unnest(scope.steps) with ordinality as step (pattern, number)
left join lateral (
    select count(*) as matching
    from matching_entries entry
    where entry.source_id = scope.source_id
      and entry.rule_id = $1
      and entry.member_id = member.id
      and entry.step = step.number
      and entry.logged_at >= $2
      and entry.logged_at <= $3
      and case when $4 then entry.logged_at < $3 else entry.logged_at > $2 end
) found on true
where scope.rule_id = $1
order by member.host, member.name, member.path, step.number
