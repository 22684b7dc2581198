-- All times from $2 to $3 are what rule $1 has not evaluated yet: the views look at them. Returns
-- the sources that it judges, and up to when each was read, at most tick $4.
with judged as (
    insert into rule_backlog (source_id, rule_id, dirty)
    select scope.source_id, scope.rule_id, tstzmultirange(tstzrange($2, $3, '[]'))
    from rule_scopes scope
    where scope.rule_id = $1
    returning source_id
)
select
    judged.source_id,
    greatest(least(position.read_until, $4), state.judged_until) as read_until
from judged
join ingest_state state on state.source_id = judged.source_id
join reader_positions position on position.source_id = judged.source_id
order by judged.source_id
