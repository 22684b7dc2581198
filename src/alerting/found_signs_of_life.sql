-- How many lines rule $1 would miss from $2 to $3, by source. A bucket ($4) holds its beginning
-- and not its end, a window its end and not its beginning.
select
    scope.source_id as judged_as, source.name as source, source.host, source.path, 1::bigint as step,
    coalesce(found.lines, 0)::bigint as matching, null::bigint as of
from rule_scopes scope
join sources source on source.id = scope.source_id
left join lateral (
    select sum(sign.lines) as lines
    from rule_signs_of_life sign
    where sign.source_id = scope.source_id
      and sign.rule_id = $1
      and sign.period >= date_trunc('minute', $2)
      and sign.period <= $3
      and sign.at >= $2
      and sign.at <= $3
      and case when $4 then sign.at < $3 else sign.at > $2 end
) found on true
where scope.rule_id = $1
order by source.host, source.name, source.path
