create or replace view distinct_hot as
select
    judged.source_id,
    judged.rule_id,
    counted.group_key,
    counted.bucket as hot_from,
    counted.bucket + judged.within as hot_until,
    counted.bucket as full_from,
    counted.bucket + judged.within as known_from,
    counted.found::double precision as measured,
    counted.found >= judged.count as is_hot
from rules_to_judge judged
cross join lateral (
    select
        matching.group_key,
        date_bin(judged.within, matching.logged_at, 'epoch') as bucket,
        count(distinct matching.value) as found
    from pattern_entries matching
    where matching.source_id = judged.source_id
      and matching.rule_id = judged.rule_id
      and matching.logged_at >= date_bin(judged.within, judged.dirty_from, 'epoch')
      and matching.logged_at < date_bin(judged.within, judged.dirty_to, 'epoch') + judged.within
    group by matching.group_key, bucket
) counted
where judged.kind = 'distinct';

create or replace view rules_to_count as
select
    judged.source_id,
    judged.rule_id,
    judged.within,
    min(judged.dirty_from) as dirty_from,
    max(judged.dirty_to) as dirty_to,
    date_bin(judged.within, min(judged.dirty_from), 'epoch') as first_bucket,
    date_bin(judged.within, max(judged.dirty_to), 'epoch') + judged.within as last_end,
    date_bin(
        judged.within,
        min(judged.dirty_from) - case when judged.kind = 'baseline' then judged.lookback else judged.within end,
        'epoch'
    ) as needed_from,
    span.counted_from,
    span.counted_until
from rules_to_judge judged
left join counted_spans span on span.source_id = judged.source_id and span.rule_id = judged.rule_id
where judged.kind in ('spike', 'baseline')
  and not judged.counts_suffice
  -- A week later, a bucket begins as well.
  and (judged.kind = 'spike' or 604800 % extract(epoch from judged.within) = 0)
  -- Counting begins with the newest entries: what was judged before and is later would be missed.
  and (
      span.counted_from is not null
      or not exists (
          select
          from unnest(judged.members) as member (id)
          cross join lateral (
              select from log_entries entry
              where entry.source_id = member.id and entry.logged_at > judged.dirty_to
              order by entry.logged_at
              limit 1
          ) later
      )
  )
group by
    judged.source_id, judged.rule_id, judged.within, judged.kind, judged.lookback,
    span.counted_from, span.counted_until;
