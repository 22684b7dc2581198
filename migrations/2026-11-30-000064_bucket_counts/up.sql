-- What a bucket has is counted once: a baseline rule of an hour read all of the hour every minute,
-- and the same hour of the weeks before.
create table bucket_counts (
    source_id bigint      not null,
    rule_id   bigint      not null,
    bucket    timestamptz not null,
    group_key text        not null,
    matching  bigint      not null,
    constraint bucket_counts_pkey primary key (source_id, rule_id, bucket, group_key),
    constraint buckets_of_a_source foreign key (source_id) references sources (id),
    constraint buckets_of_a_rule foreign key (rule_id) references alert_rules (id)
);
create index buckets_of_rule on bucket_counts (rule_id);
comment on table  bucket_counts is 'How many entries rules have matched by bucket, where counted_spans says that it is known.';
comment on column bucket_counts.source_id is 'The source, or the one that stands for all of them.';
comment on column bucket_counts.rule_id is 'The rule, one that goes by buckets.';
comment on column bucket_counts.bucket is 'When the bucket begins; it is as long as the rule''s within.';
comment on column bucket_counts.group_key is 'Values of what the rule groups by besides the source.';
comment on column bucket_counts.matching is 'Entries that match; a bucket without any has no row.';

create table counted_spans (
    source_id     bigint      not null,
    rule_id       bigint      not null,
    counted_from  timestamptz not null,
    counted_until timestamptz not null,
    constraint counted_spans_pkey primary key (source_id, rule_id),
    constraint span_of_a_source foreign key (source_id) references sources (id),
    constraint span_of_a_rule foreign key (rule_id) references alert_rules (id)
);
create index spans_of_rule on counted_spans (rule_id);
comment on table  counted_spans is 'Which entries bucket_counts has; others are to be looked for in log_entries.';
comment on column counted_spans.source_id is 'As in bucket_counts.';
comment on column counted_spans.rule_id is 'As in bucket_counts.';
comment on column counted_spans.counted_from is 'Those from here on, where a bucket begins.';
comment on column counted_spans.counted_until is 'Those before.';

alter table ingest_state add column recount boolean not null default false;
comment on column ingest_state.recount is 'Whether what bucket_counts has is to be forgotten, because other rules judge the source, or judge it otherwise.';

create view rules_to_count as
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
comment on view   rules_to_count is 'Rules whose buckets are counted, with the event times that they have not evaluated yet.';
comment on column rules_to_count.source_id is 'As in rule_scopes.';
comment on column rules_to_count.rule_id is 'As in rule_scopes.';
comment on column rules_to_count.within is 'As in rule_scopes.';
comment on column rules_to_count.dirty_from is 'The first time that is not evaluated yet.';
comment on column rules_to_count.dirty_to is 'The last one.';
comment on column rules_to_count.first_bucket is 'Where the bucket of the first time begins.';
comment on column rules_to_count.last_end is 'Where the bucket of the last time ends.';
comment on column rules_to_count.needed_from is 'Buckets before are not looked at any more, but for late lines.';
comment on column rules_to_count.counted_from is 'As in counted_spans.';
comment on column rules_to_count.counted_until is 'As in counted_spans.';

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
left join counted_spans span on span.source_id = judged.source_id and span.rule_id = judged.rule_id
cross join lateral (
    select
        date_bin(judged.within, judged.dirty_from, 'epoch') - judged.within as read_from,
        date_bin(judged.within, judged.dirty_to, 'epoch') + 2 * judged.within as read_to
) buckets
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
        select one.group_key, one.bucket, sum(one.matching) as matching
        from (
            select counts.group_key, counts.bucket, counts.matching
            from bucket_counts counts
            where counts.source_id = judged.source_id
              and counts.rule_id = judged.rule_id
              and counts.bucket >= greatest(buckets.read_from, span.counted_from)
              and counts.bucket < buckets.read_to
              and span.counted_from is not null
            union all
            -- What is not counted there: before and after.
            select found.group_key, date_bin(judged.within, found.at, 'epoch'), found.matching
            from (values
                (buckets.read_from, least(buckets.read_to, span.counted_from)),
                (greatest(buckets.read_from, coalesce(span.counted_until, 'infinity')), buckets.read_to)
            ) as missing (read_from, read_to)
            cross join lateral (
                select found.group_key, found.at, found.matching
                from matching_counts found
                where found.source_id = judged.source_id
                  and found.rule_id = judged.rule_id
                  and found.at >= missing.read_from
                  and found.at < missing.read_to
                offset 0
            ) found
        ) one
        group by one.group_key, one.bucket
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
left join counted_spans span on span.source_id = judged.source_id and span.rule_id = judged.rule_id
-- New lines of one week change what is usual in those after it.
cross join lateral generate_series(0, (extract(epoch from judged.lookback) / 604800)::int) as later (weeks)
cross join lateral (
    select
        date_bin(judged.within, judged.dirty_from, 'epoch') + later.weeks * interval '168 hours' as read_from,
        date_bin(judged.within, judged.dirty_to, 'epoch') + judged.within
            + later.weeks * interval '168 hours' as read_to
) buckets
cross join lateral (
    select one.group_key, one.bucket, sum(one.matching) as matching
    from (
        select counts.group_key, counts.bucket, counts.matching
        from bucket_counts counts
        where counts.source_id = judged.source_id
          and counts.rule_id = judged.rule_id
          and counts.bucket >= greatest(buckets.read_from, span.counted_from)
          and counts.bucket < buckets.read_to
          and span.counted_from is not null
        union all
        -- What is not counted there: before and after.
        select found.group_key, date_bin(judged.within, found.at, 'epoch'), found.matching
        from (values
            (buckets.read_from, least(buckets.read_to, span.counted_from)),
            (greatest(buckets.read_from, coalesce(span.counted_until, 'infinity')), buckets.read_to)
        ) as missing (read_from, read_to)
        cross join lateral (
            select found.group_key, found.at, found.matching
            from matching_counts found
            where found.source_id = judged.source_id
              and found.rule_id = judged.rule_id
              and found.at >= missing.read_from
              and found.at < missing.read_to
            offset 0
        ) found
    ) one
    group by one.group_key, one.bucket
) counted
cross join lateral (
    -- Weeks in which the log had no line at that time say nothing.
    select count(*) as weeks, percentile_cont(0.5) within group (order by week.matching) as matching
    from generate_series(1, (extract(epoch from judged.lookback) / 604800)::int) as earlier (weeks)
    cross join lateral (
        select
            counted.bucket - earlier.weeks * interval '168 hours' as read_from,
            counted.bucket - earlier.weeks * interval '168 hours' + judged.within as read_to
    ) bucket
    cross join lateral (
        select coalesce(sum(one.matching), 0)::double precision as matching
        from (
            select counts.matching
            from bucket_counts counts
            where counts.source_id = judged.source_id
              and counts.rule_id = judged.rule_id
              and counts.group_key = counted.group_key
              and counts.bucket >= greatest(bucket.read_from, span.counted_from)
              and counts.bucket < bucket.read_to
              and span.counted_from is not null
            union all
            select found.matching
            from (values
                (bucket.read_from, least(bucket.read_to, span.counted_from)),
                (greatest(bucket.read_from, coalesce(span.counted_until, 'infinity')), bucket.read_to)
            ) as missing (read_from, read_to)
            cross join lateral (
                select found.matching
                from matching_counts found
                where found.source_id = judged.source_id
                  and found.rule_id = judged.rule_id
                  and found.group_key = counted.group_key
                  and found.at >= missing.read_from
                  and found.at < missing.read_to
                offset 0
            ) found
        ) one
    ) week
    where exists (
        select
        from unnest(judged.members) as member (id)
        cross join lateral (
            select from line_counts counts
            where counts.source_id = member.id
              and counts.minute >= bucket.read_from
              and counts.minute < bucket.read_to
            -- Only the index has this order; else all of them might be looked through.
            order by counts.minute
            limit 1
        ) line
    )
    and counted.matching >= judged.at_least
) usual
where judged.kind = 'baseline';
