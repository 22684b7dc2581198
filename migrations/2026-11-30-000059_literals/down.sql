-- A column of a view cannot be taken away: it says nothing from now on.
create or replace view rule_scopes as
select
    source.id as source_id,
    rule.id as rule_id,
    rule.kind, rule.levels, rule.pattern, rule.exclude, rule.match_entry, rule.count, rule.within,
    rule.percent, rule.at_least, rule.factor, rule.floor, rule.lookback, rule.clear_below,
    rule.value, rule.stale_after, rule.keep_firing, rule.reads_counts,
    case when cardinality(rule.steps) > 0 then rule.steps else array[rule.pattern] end as steps,
    rule.pattern is null and rule.exclude = '{}' and rule.group_by <@ array['source']
        and extract(epoch from rule.within) % 60 = 0
        and (rule.kind <> 'absence' or cardinality(rule.levels) = 6) as counts_suffice,
    array_remove(rule.group_by, 'source') as key,
    case
        when source.host = '*' then array(
            select member.id
            from sources member
            where rule.host in (member.host, '*')
              and member.host <> '*'
              and (rule.sources is null or member.name = any (rule.sources) or member.path = any (rule.sources))
        )
        else array[source.id]
    end as members,
    null::text[] as literals
from sources source
join alert_rules rule
    on rule.retired_at is null
    and case
        when source.host = '*' then rule.host = source.path and 'source' <> all (rule.group_by)
        else rule.host in (source.host, '*') and 'source' = any (rule.group_by)
            and (rule.sources is null or source.name = any (rule.sources) or source.path = any (rule.sources))
    end;

create or replace view threshold_hot as
-- The window (t - within, t] is full at a matching entry when the (count - 1)-th matching
-- entry before it is less than within older, and stays full until that older entry leaves
-- it. Only event times that are not evaluated yet are read, with one window around them.
--
-- What the window holds is counted as all entries so far less those that have left it. As a
-- frame that moves it would be read again for each entry once it no longer fits in work_mem:
-- more than a minute instead of 1.5 seconds for one rule of five minutes and 480,000 entries.
--
-- The window functions stand in a lateral subquery, which is never flattened: each rule is
-- one index range scan of one source. Flattened, the planner reads all history, or tries
-- each rule on each entry in turn, which compiles regular expressions without end.
select
    judged.source_id,
    judged.rule_id,
    entry.group_key,
    entry.logged_at as hot_from,
    entry.oldest_at + judged.within + judged.keep_firing as hot_until,
    entry.measured::double precision as measured
from rules_to_judge judged
cross join lateral (
    select
        matching.logged_at,
        matching.group_key,
        lag(matching.logged_at, judged.count - 1) over in_order as oldest_at,
        row_number() over in_order - count(*) over (
            in_order range between unbounded preceding and judged.within preceding
        ) as measured
    from matching_entries matching
    where matching.source_id = judged.source_id
      and matching.rule_id = judged.rule_id
      and matching.logged_at > judged.dirty_from - judged.within
      and matching.logged_at < judged.dirty_to + judged.within
    window in_order as (partition by matching.source_id, matching.group_key order by matching.logged_at)
) entry
where judged.kind = 'threshold'
  and judged.clear_below is null
  and entry.logged_at >= judged.dirty_from
  and entry.oldest_at > entry.logged_at - judged.within;

create or replace view matching_counts as
-- As matching_entries: to be read for one source and rule, and a range of times.
select minutes.source_id, minutes.rule_id, '' as group_key, minutes.minute as at, minutes.matching
from rule_scopes scope
join rule_minutes minutes on minutes.source_id = scope.source_id and minutes.rule_id = scope.rule_id
where scope.counts_suffice
union all
select entry.source_id, entry.rule_id, entry.group_key, entry.logged_at, 1
from rule_scopes scope
join matching_entries entry on entry.source_id = scope.source_id and entry.rule_id = scope.rule_id
where not scope.counts_suffice;

create or replace view rule_signs_of_life as
-- As matching_entries: to be read for one source and rule, and a range of periods. The lines
-- between the first and the last one of a minute are taken to be of the time of the last.
select minutes.source_id, minutes.rule_id, '' as group_key, minutes.minute as period, sign.at, sign.lines
from rule_scopes scope
join rule_minutes minutes on minutes.source_id = scope.source_id and minutes.rule_id = scope.rule_id
cross join lateral (values (minutes.first_at, 1), (minutes.last_at, minutes.lines - 1)) as sign (at, lines)
where (scope.counts_suffice or scope.kind = 'blind')
  and sign.lines > 0
union all
select entry.source_id, entry.rule_id, entry.group_key, entry.logged_at, entry.logged_at, 1
from rule_scopes scope
join matching_entries entry on entry.source_id = scope.source_id and entry.rule_id = scope.rule_id
where not scope.counts_suffice
  and scope.kind <> 'blind';

create or replace view hysteresis_hot as
-- As threshold_hot, twice: clear_below says how long it holds, count from when on.
select
    judged.source_id,
    judged.rule_id,
    entry.group_key,
    entry.logged_at as hot_from,
    entry.oldest_low_at + judged.within as hot_until,
    case when entry.oldest_at > entry.logged_at - judged.within then entry.logged_at end as full_from,
    null::timestamptz as known_from,
    entry.measured::double precision as measured,
    true as is_hot
from rules_to_judge judged
cross join lateral (
    select
        matching.logged_at,
        matching.group_key,
        lag(matching.logged_at, judged.clear_below - 1) over in_order as oldest_low_at,
        lag(matching.logged_at, judged.count - 1) over in_order as oldest_at,
        row_number() over in_order - count(*) over (
            in_order range between unbounded preceding and judged.within preceding
        ) as measured
    from matching_entries matching
    where matching.source_id = judged.source_id
      and matching.rule_id = judged.rule_id
      and matching.logged_at > judged.dirty_from - judged.within
      and matching.logged_at < judged.dirty_to + judged.within
    window in_order as (partition by matching.source_id, matching.group_key order by matching.logged_at)
) entry
where judged.kind = 'threshold'
  and judged.clear_below is not null
  and entry.logged_at >= judged.dirty_from
  and entry.oldest_low_at > entry.logged_at - judged.within;

create or replace view new_hot as
-- Each entry makes its message known for the time of lookback: it is news where that begins.
select
    judged.source_id,
    judged.rule_id,
    case when judged.key = '{}' then matching.fingerprint::text else matching.group_key end as group_key,
    matching.logged_at as hot_from,
    -- An entry that is exactly so much older was not within lookback.
    matching.logged_at + judged.lookback - interval '1 microsecond' as hot_until,
    matching.logged_at as full_from,
    null::timestamptz as known_from,
    1::double precision as measured,
    true as is_hot
from rules_to_judge judged
cross join lateral (
    select distinct entry.group_key, entry.fingerprint, entry.logged_at
    from matching_entries entry
    where entry.source_id = judged.source_id
      and entry.rule_id = judged.rule_id
      and entry.logged_at >= judged.dirty_from
      and entry.logged_at <= judged.dirty_to
) matching
where judged.kind = 'new';

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
    from matching_entries matching
    where matching.source_id = judged.source_id
      and matching.rule_id = judged.rule_id
      and matching.logged_at >= date_bin(judged.within, judged.dirty_from, 'epoch')
      and matching.logged_at < date_bin(judged.within, judged.dirty_to, 'epoch') + judged.within
    group by matching.group_key, bucket
) counted
where judged.kind = 'distinct';

create or replace view sequence_hot as
-- reached_n is the latest beginning of a sequence whose first n steps lie before the entry.
-- At the last step it has been completed if it began less than within before; it stays so until
-- it began within before.
select
    judged.source_id,
    judged.rule_id,
    entry.group_key,
    entry.logged_at as hot_from,
    entry.began_at + judged.within as hot_until,
    entry.logged_at as full_from,
    null::timestamptz as known_from,
    1::double precision as measured,
    true as is_hot
from rules_to_judge judged
cross join lateral (
    select
        third.group_key,
        third.logged_at,
        third.step,
        case cardinality(judged.steps)
            when 2 then third.reached_1
            when 3 then third.reached_2
            when 4 then third.reached_3
            else max(case when third.step = 4 then third.reached_3 end) over before
        end as began_at
    from (
        select second.*, max(case when second.step = 3 then second.reached_2 end) over before as reached_3
        from (
            select first.*, max(case when first.step = 2 then first.reached_1 end) over before as reached_2
            from (
                select
                    matching.source_id, matching.group_key, matching.logged_at, matching.line_no, matching.step,
                    max(case when matching.step = 1 then matching.logged_at end) over before as reached_1
                from matching_entries matching
                where matching.source_id = judged.source_id
                  and matching.rule_id = judged.rule_id
                  and matching.logged_at > judged.dirty_from - judged.within
                  and matching.logged_at < judged.dirty_to + judged.within
                window before as (
                    partition by matching.source_id, matching.group_key order by matching.logged_at, matching.line_no
                    groups between unbounded preceding and 1 preceding
                )
            ) first
            window before as (
                partition by first.source_id, first.group_key order by first.logged_at, first.line_no
                groups between unbounded preceding and 1 preceding
            )
        ) second
        window before as (
            partition by second.source_id, second.group_key order by second.logged_at, second.line_no
            groups between unbounded preceding and 1 preceding
        )
    ) third
    window before as (
        partition by third.source_id, third.group_key order by third.logged_at, third.line_no
        groups between unbounded preceding and 1 preceding
    )
) entry
where judged.kind = 'sequence'
  and entry.step = cardinality(judged.steps)
  and entry.logged_at >= judged.dirty_from
  and entry.began_at > entry.logged_at - judged.within;

create or replace view missing_follow_up_hot as
-- For each entry of the first step: from when the second is overdue until it comes.
select
    judged.source_id,
    judged.rule_id,
    entry.group_key,
    entry.logged_at + judged.within as hot_from,
    -- None within the range that was read: it may have come long after.
    greatest(entry.logged_at + judged.within, coalesce(entry.followed_at, later.logged_at, 'infinity')) as hot_until,
    entry.logged_at + judged.within as full_from,
    entry.logged_at + judged.within as known_from,
    1::double precision as measured,
    coalesce(entry.followed_at > entry.logged_at + judged.within, true) as is_hot
from rules_to_judge judged
cross join lateral (
    select distinct followed.group_key, followed.logged_at, followed.followed_at
    from (
        select
            matching.group_key, matching.logged_at, matching.step,
            min(case when matching.step = 2 then matching.logged_at end) over (
                partition by matching.source_id, matching.group_key order by matching.logged_at desc
                range between unbounded preceding and current row
            ) as followed_at
        from matching_entries matching
        where matching.source_id = judged.source_id
          and matching.rule_id = judged.rule_id
          and matching.logged_at >= judged.dirty_from - judged.within
          and matching.logged_at <= judged.dirty_to + judged.within
    ) followed
    where followed.step = 1
      and followed.logged_at <= judged.dirty_to
) entry
left join lateral (
    select min(matching.logged_at) as logged_at
    from matching_entries matching
    where matching.source_id = judged.source_id
      and matching.rule_id = judged.rule_id
      and matching.step = 2
      and matching.group_key = entry.group_key
      and matching.logged_at > judged.dirty_to + judged.within
      and entry.followed_at is null
) later on true
where judged.kind = 'missing_follow_up'
union all
-- And those that have been overdue since before the range: it may have come now.
select
    judged.source_id,
    judged.rule_id,
    kept.group_key,
    kept.hot_from,
    least(kept.hot_until, follower.logged_at),
    kept.hot_from,
    kept.hot_from,
    1,
    true
from rules_to_judge judged
join hot_intervals kept
    on kept.source_id = judged.source_id
    and kept.rule_id = judged.rule_id
    and tstzrange(kept.hot_from, kept.hot_until, '[]') @> judged.dirty_from
cross join lateral (
    select min(matching.logged_at) as logged_at
    from matching_entries matching
    where matching.source_id = judged.source_id
      and matching.rule_id = judged.rule_id
      and matching.step = 2
      and matching.group_key = kept.group_key
      and matching.logged_at >= judged.dirty_from
      and matching.logged_at <= judged.dirty_to
) follower
where judged.kind = 'missing_follow_up'
  and kept.hot_from < judged.dirty_from
  and kept.hot_until > judged.dirty_from
  and follower.logged_at is not null;

create or replace view matching_entries as
-- Whoever reads this view gives source_id, rule_id and a range of logged_at. It is flattened into
-- the query then: one index range scan of each member.
select
    scope.source_id,
    scope.rule_id,
    step.number as step,
    entry.source_id as member_id,
    entry.logged_at,
    entry.line_no,
    -- Cut, or it would not fit into an index.
    case when scope.key = '{}' then '' else (
        select left(string_agg(coalesce(
            case
                when part.name = 'host' then (select host from sources where id = entry.source_id)
                when part.name = 'level' then entry.level::text
                when part.name = 'fingerprint' then entry.fingerprint::text
                when part.name = 'message' then split_part(entry.message, e'\n', 1)
                when part.name ~ '^\$' then (regexp_match(
                    case when scope.match_entry then entry.message else split_part(entry.message, e'\n', 1) end,
                    step.pattern
                ))[substr(part.name, 2)::int]
                else coalesce(
                    entry.fields ->> substr(part.name, 8),
                    entry.fields #>> string_to_array(substr(part.name, 8), '.')
                )
            end, ''
        ), ' | ' order by part.place), 200)
        from unnest(scope.key) with ordinality as part (name, place)
    ) end as group_key,
    case
        when scope.value is null then null
        when scope.value ~ '^\$' then (regexp_match(
            case when scope.match_entry then entry.message else split_part(entry.message, e'\n', 1) end,
            step.pattern
        ))[substr(scope.value, 2)::int]
        else coalesce(
            entry.fields ->> substr(scope.value, 8),
            entry.fields #>> string_to_array(substr(scope.value, 8), '.')
        )
    end as value,
    entry.fingerprint
from rule_scopes scope
cross join lateral unnest(scope.steps) with ordinality as step (pattern, number)
join log_entries entry on entry.source_id = any (scope.members)
where entry.level = any (scope.levels)
  and (
      step.pattern is null
      or case when scope.match_entry then entry.message else split_part(entry.message, e'\n', 1) end ~ step.pattern
  )
  and (
      scope.exclude = '{}'
      or not split_part(entry.message, e'\n', 1) ~ any (scope.exclude)
  );

drop view step_entries;
drop view pattern_entries;
alter table alert_rules drop column literals;
