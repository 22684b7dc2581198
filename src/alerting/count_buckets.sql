-- Counts by bucket which of the entries of the sources $1 that are not evaluated yet the rules $2
-- match. The last time of them is left out: there may be more of it.
with rule as materialized (
    select rule.*
    from unnest($1) as one (source_id)
    cross join lateral (
        select * from rules_to_count where source_id = one.source_id and rule_id = any ($2) offset 0
    ) rule
), counted as (
    insert into bucket_counts as known (source_id, rule_id, bucket, group_key, matching)
    select rule.source_id, rule.rule_id, found.bucket, found.group_key, sum(found.matching)
    from rule
    cross join lateral (
        select part.*
        from (values
            (rule.first_bucket, rule.dirty_to, rule.counted_from is null),
            -- Late lines: the buckets of these are counted anew.
            (
                greatest(rule.first_bucket, rule.counted_from),
                least(rule.last_end, greatest(rule.counted_until, rule.dirty_to)),
                rule.dirty_from < rule.counted_until
            ),
            -- What was the last time before, and the new ones. Nothing between them matches, or
            -- the rule would have been judged.
            (
                rule.counted_until,
                least(rule.counted_until + interval '1 microsecond', rule.dirty_from),
                rule.dirty_from >= rule.counted_until
            ),
            (rule.dirty_from, rule.dirty_to, rule.dirty_from >= rule.counted_until)
        ) as part (read_from, read_to, is_read)
        where part.is_read and part.read_from < part.read_to
        offset 0
    ) part
    cross join lateral (
        select
            date_bin(rule.within, entry.logged_at, 'epoch') as bucket, entry.group_key,
            count(*) as matching
        from pattern_entries entry
        where entry.source_id = rule.source_id
          and entry.rule_id = rule.rule_id
          and entry.logged_at >= part.read_from
          and entry.logged_at < part.read_to
        group by 1, 2
    ) found
    group by rule.source_id, rule.rule_id, found.bucket, found.group_key
    on conflict on constraint bucket_counts_pkey do update set
        matching = known.matching + excluded.matching
)
insert into counted_spans as known (source_id, rule_id, counted_from, counted_until)
select source_id, rule_id, first_bucket, dirty_to from rule
on conflict on constraint counted_spans_pkey do update set
    counted_from  = greatest(known.counted_from, (
        select rule.needed_from
        from rule
        where rule.source_id = known.source_id
          and rule.rule_id = known.rule_id
          and rule.dirty_from >= rule.counted_until
    )),
    counted_until = greatest(known.counted_until, excluded.counted_until)
