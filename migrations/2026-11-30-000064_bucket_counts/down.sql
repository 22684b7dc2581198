create or replace view spike_hot as
select
    judged.source_id,
    judged.rule_id,
    counted.group_key,
    counted.bucket as hot_from,
    counted.bucket + judged.within as hot_until,
    counted.bucket as full_from,
    counted.bucket + judged.within as known_from,
    counted.matching::double precision as measured,
    counted.matching >= judged.at_least
        and counted.matching >= judged.factor * greatest(counted.before, judged.floor) as is_hot
from rules_to_judge judged
cross join lateral (
    select
        part.group_key,
        part.bucket,
        part.matching,
        coalesce(max(part.matching) over (
            partition by part.group_key order by part.bucket
            range between judged.within preceding and judged.within preceding
        ), 0) as before
    from (
        select found.group_key, date_bin(judged.within, found.at, 'epoch') as bucket, sum(found.matching) as matching
        from matching_counts found
        where found.source_id = judged.source_id
          and found.rule_id = judged.rule_id
          and found.at >= date_bin(judged.within, judged.dirty_from, 'epoch') - judged.within
          and found.at < date_bin(judged.within, judged.dirty_to, 'epoch') + 2 * judged.within
        group by found.group_key, bucket
    ) part
) counted
where judged.kind = 'spike'
  and counted.bucket >= date_bin(judged.within, judged.dirty_from, 'epoch');

create or replace view baseline_hot as
select
    judged.source_id,
    judged.rule_id,
    counted.group_key,
    counted.bucket as hot_from,
    counted.bucket + judged.within as hot_until,
    counted.bucket as full_from,
    counted.bucket + judged.within as known_from,
    counted.matching::double precision as measured,
    counted.matching >= judged.at_least
        and usual.weeks >= 2
        and counted.matching >= judged.factor * greatest(usual.matching, judged.floor) as is_hot
from rules_to_judge judged
-- New lines of one week change what is usual in those after it.
cross join lateral generate_series(0, (extract(epoch from judged.lookback) / 604800)::int) as later (weeks)
cross join lateral (
    select found.group_key, date_bin(judged.within, found.at, 'epoch') as bucket, sum(found.matching) as matching
    from matching_counts found
    where found.source_id = judged.source_id
      and found.rule_id = judged.rule_id
      and found.at >= date_bin(judged.within, judged.dirty_from, 'epoch') + later.weeks * interval '168 hours'
      and found.at < date_bin(judged.within, judged.dirty_to, 'epoch') + judged.within + later.weeks * interval '168 hours'
    group by found.group_key, bucket
) counted
cross join lateral (
    -- Weeks in which the log had no line at that time say nothing.
    select count(*) as weeks, percentile_cont(0.5) within group (order by week.matching) as matching
    from generate_series(1, (extract(epoch from judged.lookback) / 604800)::int) as earlier (weeks)
    cross join lateral (
        select coalesce(sum(found.matching), 0)::double precision as matching
        from matching_counts found
        where found.source_id = judged.source_id
          and found.rule_id = judged.rule_id
          and found.group_key = counted.group_key
          and found.at >= counted.bucket - earlier.weeks * interval '168 hours'
          and found.at < counted.bucket + judged.within - earlier.weeks * interval '168 hours'
    ) week
    where exists (
        select from rule_minutes minutes
        where minutes.source_id = judged.source_id
          and minutes.rule_id = judged.rule_id
          and minutes.minute >= counted.bucket - earlier.weeks * interval '168 hours'
          and minutes.minute < counted.bucket + judged.within - earlier.weeks * interval '168 hours'
    )
    and counted.matching >= judged.at_least
) usual
where judged.kind = 'baseline';

drop view rules_to_count;
alter table ingest_state drop column recount;
drop table counted_spans;
drop table bucket_counts;
