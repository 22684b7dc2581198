-- Rules across sources are to look at what was evaluated of the sources $1 by themselves: from $2
-- to $3.
with passed_on as (
    select owner.id as source_id, range_agg(tstzrange(slice.dirty_from, slice.dirty_to, '[]')) as ranges,
        bool_or(state.judge_again) as judge_again
    from unnest($1, $2, $3) as slice (source_id, dirty_from, dirty_to)
    join sources source on source.id = slice.source_id
    join ingest_state state on state.source_id = slice.source_id
    join sources owner on owner.path in (source.host, '*')
    where source.host <> '*'
      and owner.host = '*'
      and exists (
          select from alert_rules rule
          where rule.host = owner.path and rule.retired_at is null and 'source' <> all (rule.group_by)
      )
    group by owner.id
), locked as materialized (
    -- In order, or two that tell the same ones would wait for each other.
    select source_id
    from ingest_state
    where source_id in (select source_id from passed_on)
    order by source_id
    for update
)
update ingest_state
set dirty       = dirty + passed_on.ranges,
    counted     = counted + passed_on.ranges,
    judge_again = ingest_state.judge_again or passed_on.judge_again
from passed_on
join locked on locked.source_id = passed_on.source_id
where ingest_state.source_id = passed_on.source_id
