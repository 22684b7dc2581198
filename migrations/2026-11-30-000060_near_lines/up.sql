-- Where a line is just before the new ones, it is not worth reading the whole window before them.
create or replace view silence_hot as
-- How many lines are in the window (t - within, t] changes where one enters it and where one
-- leaves it. Between two changes the rule holds or not.
select
    judged.source_id,
    judged.rule_id,
    case when judged.kind = 'blind' then 'silent' else segment.group_key end as group_key,
    segment.hot_from,
    segment.hot_until,
    segment.hot_from as full_from,
    segment.changed_at as known_from,
    segment.lines::double precision as measured,
    segment.is_hot
from rules_to_judge judged
cross join lateral (
    select
        case when judged.kind = 'blind' then judged.stale_after else judged.within end as length,
        case when judged.kind = 'blind' then 1 else judged.count end as enough
) quiet
cross join lateral (
    -- Where one line is enough, one shortly before the range makes those before it superfluous.
    -- Else: of what holds where the range begins, the beginning may lie a window before.
    select coalesce(
        case when quiet.enough = 1 and (judged.key = '{}' or judged.kind = 'blind') then (
            select max(sign.at)
            from rule_signs_of_life sign
            where sign.source_id = judged.source_id
              and sign.rule_id = judged.rule_id
              and sign.period >= date_trunc('minute', judged.dirty_from - quiet.length / 10)
              and sign.period < judged.dirty_from
              and sign.at >= judged.dirty_from - quiet.length / 10
              and sign.at < judged.dirty_from
        ) end,
        judged.dirty_from - 2 * quiet.length
    ) as read_from
    -- Looked for once, though it is used twice.
    offset 0
) near
cross join lateral (
    with change as (
        select
            change.group_key,
            change.changed_at,
            sum(sum(change.lines)) over in_order as lines,
            lead(change.changed_at) over in_order as next_at,
            max(max(change.seen_at)) over in_order as seen_at
        from (
            select sign.group_key, one.changed_at, one.lines, one.seen_at
            from rule_signs_of_life sign
            cross join lateral (values
                (sign.at, sign.lines, sign.at),
                (sign.at + quiet.length, -sign.lines, null)
            ) as one (changed_at, lines, seen_at)
            where sign.source_id = judged.source_id
              and sign.rule_id = judged.rule_id
              and sign.period >= date_trunc('minute', near.read_from)
              and sign.period <= judged.dirty_to + quiet.length
              and sign.at >= near.read_from
              and sign.at <= judged.dirty_to + quiet.length
        ) change
        group by change.group_key, change.changed_at
        window in_order as (partition by change.group_key order by change.changed_at)
    )
    -- What was kept of each group is replaced from here to there: before the first change it
    -- holds or not as it did.
    select
        group_key,
        greatest(min(changed_at), judged.dirty_from) as hot_from,
        judged.dirty_to + quiet.length as hot_until,
        null as changed_at,
        0 as lines,
        false as is_hot
    from change
    group by group_key
    union all
    select
        group_key,
        greatest(changed_at, judged.dirty_from),
        least(
            coalesce(seen_at + judged.lookback, 'infinity'),
            case
                when next_at <= judged.dirty_to + quiet.length then next_at
                when lines > 0 then judged.dirty_to + quiet.length
                -- Every line is counted. To find no entry costs more: by its time alone one is
                -- looked for in all blocks that no vacuum has seen.
                when not exists (
                    select from line_counts counts
                    where counts.source_id = any (judged.members)
                      and counts.minute >= date_trunc('minute', judged.dirty_to + quiet.length)
                ) then 'infinity'
                else (
                    -- Nothing in the range that was read: as long as nothing comes after it.
                    select coalesce(min(sign.at), 'infinity')
                    from rule_signs_of_life sign
                    where sign.source_id = judged.source_id
                      and sign.rule_id = judged.rule_id
                      and sign.group_key = change.group_key
                      and sign.period >= date_trunc('minute', judged.dirty_to + quiet.length)
                      and sign.at > judged.dirty_to + quiet.length
                )
            end
        ),
        changed_at,
        lines,
        true
    from change
    where lines < quiet.enough
      and changed_at <= judged.dirty_to + quiet.length
      and (next_at is null or next_at > judged.dirty_from)
      and coalesce(seen_at + judged.lookback, 'infinity') > greatest(changed_at, judged.dirty_from)
) segment
where judged.kind in ('absence', 'blind')
  and quiet.length is not null;

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
    -- What one shortly before the range has followed is as it was, but for what is kept.
    select least(
        coalesce(
            case when judged.key = '{}' then (
                select max(matching.logged_at)
                from step_entries matching
                where matching.source_id = judged.source_id
                  and matching.rule_id = judged.rule_id
                  and matching.step = 2
                  and matching.logged_at >= judged.dirty_from - judged.within / 10
                  and matching.logged_at < judged.dirty_from
            ) end,
            judged.dirty_from - judged.within
        ), (
            select min(kept.hot_from) - judged.within
            from hot_intervals kept
            where kept.source_id = judged.source_id
              and kept.rule_id = judged.rule_id
              and kept.hot_from >= judged.dirty_from
        )
    ) as read_from
) near
cross join lateral (
    select distinct followed.group_key, followed.logged_at, followed.followed_at
    from (
        select
            matching.group_key, matching.logged_at, matching.step,
            min(case when matching.step = 2 then matching.logged_at end) over (
                partition by matching.source_id, matching.group_key order by matching.logged_at desc
                range between unbounded preceding and current row
            ) as followed_at
        from step_entries matching
        where matching.source_id = judged.source_id
          and matching.rule_id = judged.rule_id
          and matching.logged_at >= near.read_from
          and matching.logged_at <= judged.dirty_to + judged.within
    ) followed
    where followed.step = 1
      and followed.logged_at <= judged.dirty_to
) entry
left join lateral (
    select min(matching.logged_at) as logged_at
    from step_entries matching
    where matching.source_id = judged.source_id
      and matching.rule_id = judged.rule_id
      and matching.step = 2
      and matching.group_key = entry.group_key
      and matching.logged_at > judged.dirty_to + judged.within
      and case
          when entry.followed_at is null then exists (
              select from line_counts counts
              where counts.source_id = any (judged.members)
                and counts.minute >= date_trunc('minute', judged.dirty_to + judged.within)
          )
      end
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
    from step_entries matching
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
