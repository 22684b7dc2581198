-- Rules are judged where a new entry matches. Where more than new entries is to be looked at, all
-- of them are.
alter table ingest_state add column judge_again boolean not null default false;
comment on column ingest_state.judge_again is 'Whether what is not evaluated yet is more than new entries: some were changed or taken back, something has waited, or rules are new.';

create or replace view pattern_entries as
-- Whoever reads this view gives source_id, rule_id and a range of logged_at. It is flattened into
-- the query then: one index range scan of each member. A join with the patterns would be made for
-- each entry, so rules with several of them have a view of their own.
select
    scope.source_id,
    scope.rule_id,
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
                    scope.pattern
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
            scope.pattern
        ))[substr(scope.value, 2)::int]
        else coalesce(
            entry.fields ->> substr(scope.value, 8),
            entry.fields #>> string_to_array(substr(scope.value, 8), '.')
        )
    end as value,
    entry.fingerprint
from rule_scopes scope
join log_entries entry on entry.source_id = any (scope.members)
where cardinality(scope.steps) = 1
  and entry.level = any (scope.levels)
  -- Most entries lack the literal, so it is looked for before anything else.
  and strpos(entry.message, coalesce(scope.literals[1], '')) > 0
  and (
      scope.pattern is null
      or scope.literals[1] = scope.pattern and (scope.match_entry or strpos(split_part(entry.message, e'\n', 1), scope.literals[1]) > 0)
      or case when scope.match_entry then entry.message else split_part(entry.message, e'\n', 1) end ~ scope.pattern
  )
  and (
      scope.exclude = '{}'
      or not split_part(entry.message, e'\n', 1) ~ any (scope.exclude)
  );

create or replace view step_entries as
-- To be read as pattern_entries.
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
cross join lateral unnest(scope.steps, scope.literals) with ordinality as step (pattern, literal, number)
cross join lateral (
    select entry.*
    from log_entries entry
    where entry.source_id = any (scope.members)
      and entry.level = any (scope.levels)
      -- Most entries lack the literal, so it is looked for before anything else.
      and strpos(entry.message, coalesce(step.literal, '')) > 0
      and (
          step.pattern is null
          or step.literal = step.pattern and (scope.match_entry or strpos(split_part(entry.message, e'\n', 1), step.literal) > 0)
          or case when scope.match_entry then entry.message else split_part(entry.message, e'\n', 1) end ~ step.pattern
      )
      and (
          scope.exclude = '{}'
          or not split_part(entry.message, e'\n', 1) ~ any (scope.exclude)
      )
    -- Nothing more. But a union is scanned for each step, and only for the times that are asked
    -- for; else the steps are looked for in each entry, which costs several times as much.
    union all
    select entry.* from log_entries entry where false
) entry
where cardinality(scope.steps) > 1;

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
                from step_entries matching
                where matching.source_id = judged.source_id
                  and matching.rule_id = judged.rule_id
                  and matching.logged_at > judged.dirty_from - judged.within
                  and matching.logged_at < judged.dirty_to + judged.within
                  -- Without one of the steps the others are not read.
                  and case when not exists (
                      select from generate_subscripts(judged.steps, 1) as needed (step)
                      where (
                          select true
                          from step_entries one
                          where one.source_id = judged.source_id
                            and one.rule_id = judged.rule_id
                            and one.step = needed.step
                            and one.logged_at > judged.dirty_from - judged.within
                            and one.logged_at < judged.dirty_to + judged.within
                          limit 1
                      ) is null
                  ) then true end
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
              and sign.period >= date_trunc('minute', judged.dirty_from - quiet.length / 50)
              and sign.period < judged.dirty_from
              and sign.at >= judged.dirty_from - quiet.length / 50
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
                    select
                    from unnest(judged.members) as member (id)
                    cross join lateral (
                        select from line_counts counts
                        where counts.source_id = member.id
                          and counts.minute >= date_trunc('minute', judged.dirty_to + quiet.length)
                        -- Only the index has this order; else all of them might be looked through.
                        order by counts.minute
                        limit 1
                    ) counted
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
                  and matching.logged_at >= judged.dirty_from - judged.within / 50
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
              select
              from unnest(judged.members) as member (id)
              cross join lateral (
                  select from line_counts counts
                  where counts.source_id = member.id
                    and counts.minute >= date_trunc('minute', judged.dirty_to + judged.within)
                  -- Only the index has this order; else all of them might be looked through.
                  order by counts.minute
                  limit 1
              ) counted
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
cross join lateral (
    -- Once for all that are overdue in a group, if any is.
    select matching.group_key, min(matching.logged_at) as logged_at
    from step_entries matching
    where matching.source_id = judged.source_id
      and matching.rule_id = judged.rule_id
      and matching.step = 2
      and matching.logged_at >= judged.dirty_from
      and matching.logged_at <= judged.dirty_to
      and case when exists (
          select from hot_intervals kept
          where kept.source_id = judged.source_id
            and kept.rule_id = judged.rule_id
            and kept.hot_from < judged.dirty_from
            and kept.hot_until > judged.dirty_from
      ) then true end
    group by matching.group_key
) follower
join hot_intervals kept
    on kept.source_id = judged.source_id
    and kept.rule_id = judged.rule_id
    and kept.group_key = follower.group_key
    and kept.hot_from < judged.dirty_from
    and kept.hot_until > judged.dirty_from
where judged.kind = 'missing_follow_up';
