-- The rules that are to be judged because of what is not evaluated yet of the sources $1; of rules
-- $2, or of all, but not of $3. What a rule says of entries changes only where one of them
-- matches, unless more than new entries is to be looked at. Also whether their buckets are counted.
select one.source_id, concerned.rule_id, concerned.kind, concerned.is_counted
from unnest($1) as one (source_id)
cross join lateral (
    select distinct
        judged.rule_id,
        case when judged.clear_below is null then judged.kind else 'hysteresis' end as kind,
        judged.kind in ('spike', 'baseline', 'distinct') and not judged.counts_suffice as is_counted
    from rules_to_judge judged
    where judged.source_id = one.source_id
      and judged.kind <> 'sql'
      and ($2 is null or judged.rule_id = any ($2))
      and judged.rule_id <> all ($3)
      and case
          -- All lines count.
          when judged.reads_counts then true
          when (select judge_again from ingest_state where source_id = one.source_id) then true
          when exists (
              select from rule_backlog backlog
              where backlog.source_id = one.source_id and backlog.rule_id = judged.rule_id
          ) then true
          -- Of a week in which there was no line nothing is learned.
          when judged.kind = 'baseline' and exists (
              select
              from unnest(judged.members) as member (id)
              cross join lateral (
                  select from line_counts counts
                  where counts.source_id = member.id
                    and counts.minute >= judged.dirty_from + interval '1 week' - judged.within
                  -- Only the index has this order; else all of them might be looked through.
                  order by counts.minute
                  limit 1
              ) counted
          ) then true
          when cardinality(judged.steps) = 1 then exists (
              select from pattern_entries new_one
              where new_one.source_id = judged.source_id
                and new_one.rule_id = judged.rule_id
                and new_one.logged_at >= judged.dirty_from
                and new_one.logged_at <= judged.dirty_to
          )
          else exists (
              select from step_entries new_one
              where new_one.source_id = judged.source_id
                and new_one.rule_id = judged.rule_id
                and new_one.logged_at >= judged.dirty_from
                and new_one.logged_at <= judged.dirty_to
          )
      end
    offset 0
) concerned
order by one.source_id, concerned.rule_id
