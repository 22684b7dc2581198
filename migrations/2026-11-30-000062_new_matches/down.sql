-- The views as they were.
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
    from pattern_entries matching
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
    from pattern_entries matching
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
