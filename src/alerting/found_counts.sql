-- How many entries match rule $1 from $2 to $3, and of how many, by source; for a blind rule, how
-- many lines could not be parsed. A bucket ($4) holds its beginning and not its end, a window
-- its end and not its beginning.
select
    scope.source_id as judged_as, source.name as source, source.host, source.path, 1::bigint as step,
    coalesce(case when scope.kind = 'blind' then minutes.unparsed else found.matching end, 0)::bigint as matching,
    coalesce(case scope.kind when 'ratio' then minutes.entries when 'blind' then minutes.lines end,
        case when scope.kind in ('ratio', 'blind') then 0 end)::bigint as of
from rule_scopes scope
join sources source on source.id = scope.source_id
left join lateral (
    select sum(counts.matching) as matching
    from matching_counts counts
    where counts.source_id = scope.source_id
      and counts.rule_id = $1
      and counts.at >= $2
      and counts.at <= $3
      and case when $4 then counts.at < $3 else counts.at > $2 end
) found on scope.kind <> 'blind'
left join lateral (
    select sum(counts.entries) as entries, sum(counts.unparsed) as unparsed, sum(counts.lines) as lines
    from rule_minutes counts
    where counts.source_id = scope.source_id
      and counts.rule_id = $1
      and counts.minute >= $2
      and counts.minute <= $3
      and case when $4 then counts.minute < $3 else counts.minute > $2 end
) minutes on scope.kind in ('ratio', 'blind')
where scope.rule_id = $1
order by source.host, source.name, source.path
