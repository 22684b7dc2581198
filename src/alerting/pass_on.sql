-- Rules across sources are to look at what was evaluated of source $1 by itself: from $2 to $3.
update ingest_state
set dirty   = dirty + tstzmultirange(tstzrange($2, $3, '[]')),
    counted = counted + tstzmultirange(tstzrange($2, $3, '[]'))
from sources owner, sources source
where source.id = $1
  and source.host <> '*'
  and owner.host = '*'
  and owner.path in (source.host, '*')
  and ingest_state.source_id = owner.id
  and exists (
      select from alert_rules rule
      where rule.host = owner.path and rule.retired_at is null and 'source' <> all (rule.group_by)
  )
