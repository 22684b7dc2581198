-- The rules as views: what holds, when, and for whom. They are functions of the data alone;
-- the program narrows them to one source and records what they say.

create view rule_scopes as
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
    end as members
from sources source
join alert_rules rule
    on rule.retired_at is null
    and case
        when source.host = '*' then rule.host = source.path and 'source' <> all (rule.group_by)
        else rule.host in (source.host, '*') and 'source' = any (rule.group_by)
            and (rule.sources is null or source.name = any (rule.sources) or source.path = any (rule.sources))
    end;
comment on view   rule_scopes is 'Which rule judges which source: each source by itself, or all together on behalf of the source that stands for them.';
comment on column rule_scopes.source_id is 'The source that the alerts belong to.';
comment on column rule_scopes.rule_id is 'The rule.';
comment on column rule_scopes.kind is 'As in alert_rules.';
comment on column rule_scopes.levels is 'As in alert_rules.';
comment on column rule_scopes.pattern is 'As in alert_rules.';
comment on column rule_scopes.exclude is 'As in alert_rules.';
comment on column rule_scopes.match_entry is 'As in alert_rules.';
comment on column rule_scopes.count is 'As in alert_rules.';
comment on column rule_scopes.within is 'As in alert_rules.';
comment on column rule_scopes.percent is 'As in alert_rules.';
comment on column rule_scopes.at_least is 'As in alert_rules.';
comment on column rule_scopes.factor is 'As in alert_rules.';
comment on column rule_scopes.floor is 'As in alert_rules.';
comment on column rule_scopes.lookback is 'As in alert_rules.';
comment on column rule_scopes.clear_below is 'As in alert_rules.';
comment on column rule_scopes.value is 'As in alert_rules.';
comment on column rule_scopes.stale_after is 'As in alert_rules.';
comment on column rule_scopes.keep_firing is 'As in alert_rules.';
comment on column rule_scopes.reads_counts is 'As in alert_rules.';
comment on column rule_scopes.steps is 'Its patterns in their order; one, which may be null, for most kinds.';
comment on column rule_scopes.counts_suffice is 'Whether line_counts say how many entries match, so that these need not be read.';
comment on column rule_scopes.key is 'What it groups by besides the source.';
comment on column rule_scopes.members is 'The sources that it reads.';

create view reader_positions as
select
    source.id as source_id,
    case when source.host = '*' then members.read_to_end_at else state.read_to_end_at end as read_to_end_at,
    case
        when source.host = '*' then members.read_until
        else coalesce(state.read_to_end_at, state.last_logged_at)
    end as read_until
from sources source
join ingest_state state on state.source_id = source.id
left join lateral (
    -- One that is behind holds all of them back.
    select
        case when count(*) = count(member_state.read_to_end_at) then max(member_state.read_to_end_at) end as read_to_end_at,
        coalesce(
            min(member_state.last_logged_at) filter (where member_state.read_to_end_at is null),
            max(member_state.read_to_end_at)
        ) as read_until
    from sources member
    join ingest_state member_state on member_state.source_id = member.id
    where member.host <> '*'
      and source.path in (member.host, '*')
      and member_state.line_no > 0
) members on source.host = '*';
comment on view   reader_positions is 'How far sources were read, in time.';
comment on column reader_positions.source_id is 'The source, or the one that stands for all of them.';
comment on column reader_positions.read_to_end_at is 'The tick at which the reader last stood at the end; null while it is behind.';
comment on column reader_positions.read_until is 'What was logged before that has been read, but for what comes late.';

create view rules_to_judge as
-- For each rule the ranges of event time that are not evaluated yet.
select
    scope.*,
    lower(dirty.range) as dirty_from,
    upper(dirty.range) as dirty_to
from ingest_state state
join rule_scopes scope on scope.source_id = state.source_id
left join rule_backlog backlog on backlog.source_id = scope.source_id and backlog.rule_id = scope.rule_id
cross join lateral unnest(
    coalesce(backlog.dirty, '{}')
    + case when scope.reads_counts then state.dirty + state.counted else state.dirty end
) as dirty (range);
comment on view   rules_to_judge is 'Rules with the event times that they have not evaluated yet.';
comment on column rules_to_judge.source_id is 'As in rule_scopes.';
comment on column rules_to_judge.rule_id is 'As in rule_scopes.';
comment on column rules_to_judge.kind is 'As in rule_scopes.';
comment on column rules_to_judge.levels is 'As in rule_scopes.';
comment on column rules_to_judge.pattern is 'As in rule_scopes.';
comment on column rules_to_judge.exclude is 'As in rule_scopes.';
comment on column rules_to_judge.match_entry is 'As in rule_scopes.';
comment on column rules_to_judge.count is 'As in rule_scopes.';
comment on column rules_to_judge.within is 'As in rule_scopes.';
comment on column rules_to_judge.percent is 'As in rule_scopes.';
comment on column rules_to_judge.at_least is 'As in rule_scopes.';
comment on column rules_to_judge.factor is 'As in rule_scopes.';
comment on column rules_to_judge.floor is 'As in rule_scopes.';
comment on column rules_to_judge.lookback is 'As in rule_scopes.';
comment on column rules_to_judge.clear_below is 'As in rule_scopes.';
comment on column rules_to_judge.value is 'As in rule_scopes.';
comment on column rules_to_judge.stale_after is 'As in rule_scopes.';
comment on column rules_to_judge.keep_firing is 'As in rule_scopes.';
comment on column rules_to_judge.reads_counts is 'As in rule_scopes.';
comment on column rules_to_judge.steps is 'As in rule_scopes.';
comment on column rules_to_judge.counts_suffice is 'As in rule_scopes.';
comment on column rules_to_judge.key is 'As in rule_scopes.';
comment on column rules_to_judge.members is 'As in rule_scopes.';
comment on column rules_to_judge.dirty_from is 'Least event time of the range.';
comment on column rules_to_judge.dirty_to is 'Greatest event time of the range.';

create view matching_entries as
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
comment on view   matching_entries is 'Entries that rules count. Only to be read for one source and rule, and a range of logged_at.';
comment on column matching_entries.source_id is 'The source that alerts about it belong to.';
comment on column matching_entries.rule_id is 'The rule.';
comment on column matching_entries.step is 'Which of the rule''s patterns it matches, from 1.';
comment on column matching_entries.member_id is 'The source that it stands in.';
comment on column matching_entries.logged_at is 'As in log_entries.';
comment on column matching_entries.line_no is 'As in log_entries.';
comment on column matching_entries.group_key is 'Values of what the rule groups by besides the source.';
comment on column matching_entries.value is 'What a distinct rule counts the values of; null: it has none.';
comment on column matching_entries.fingerprint is 'As in log_entries.';

create view threshold_hot as
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
comment on view   threshold_hot is 'When threshold rules hold, as intervals that may overlap. Looks only around event times that are not evaluated yet.';
comment on column threshold_hot.source_id is 'The source.';
comment on column threshold_hot.rule_id is 'The rule.';
comment on column threshold_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column threshold_hot.hot_from is 'Event time of the entry that fills the window.';
comment on column threshold_hot.hot_until is 'When the window is no longer full, and keep_firing is over.';
comment on column threshold_hot.measured is 'Matching entries in the window up to that entry; the last one of a moment has them all.';

create view alert_episodes as
-- Hot intervals and the stored alerts within their reach, merged where they touch: the
-- whole of each episode, as the data that are stored now give it.
select
    merged.source_id,
    merged.rule_id,
    merged.group_key,
    lower(episode.during) as started_at,
    upper(episode.during) as ended_at,
    episode.measured
from (
    select
        source_id, rule_id, group_key,
        range_agg(during) as episodes,
        array_agg(lower(during)) as starts,
        array_agg(measured) as measures
    from (
        select source_id, rule_id, group_key, tstzrange(hot_from, hot_until, '[]') as during, measured
        from threshold_hot
        union all
        select judged.source_id, judged.rule_id, alert.group_key, tstzrange(alert.started_at, alert.ended_at, '[]'), alert.measured
        from rules_to_judge judged
        -- As above: distinct, of which there is no need, keeps the subquery from being
        -- flattened. Otherwise all alerts ever are read to find those few.
        cross join lateral (
            select distinct alerts.source_id, alerts.group_key, alerts.started_at, alerts.ended_at, alerts.measured
            from alerts
            where alerts.source_id = judged.source_id
              and alerts.rule_id = judged.rule_id
              and alerts.merged_into is null
              and alerts.retracted_at is null
              -- An entry at dirty_to can make the rule hold up to two windows later.
              and tstzrange(alerts.started_at, alerts.ended_at, '[]')
                  && tstzrange(judged.dirty_from, judged.dirty_to + 2 * judged.within + judged.keep_firing, '[]')
        ) alert
        where judged.kind = 'threshold'
          and judged.clear_below is null
    ) part
    group by source_id, rule_id, group_key
) merged
cross join lateral (
    -- Which episode a part fell into: the last one that starts no later than the part does.
    select whole.during, max(part.measured) as measured
    from unnest(merged.starts, merged.measures) as part (starts_at, measured)
    join unnest(merged.episodes) with ordinality as whole (during, place)
        on whole.place = width_bucket(part.starts_at, array(select lower(one) from unnest(merged.episodes) as one))
    group by whole.during
) episode;
comment on view   alert_episodes is 'Episodes of threshold rules around the event times that are not evaluated yet: what the table alerts must say once they are.';
comment on column alert_episodes.source_id is 'The source.';
comment on column alert_episodes.rule_id is 'The rule.';
comment on column alert_episodes.group_key is 'Values of what the rule groups by besides the source.';
comment on column alert_episodes.started_at is 'When the rule begins to hold.';
comment on column alert_episodes.ended_at is 'When it no longer holds, unless further entries come.';
comment on column alert_episodes.measured is 'Most matching entries in one window.';

-- What lines and entries there were ---------------------------------------------------------

create view rule_minutes as
-- As matching_entries: to be read for one source and rule, and a range of minutes.
select
    scope.source_id,
    scope.rule_id,
    counts.minute,
    case when 'TRACE' = any (scope.levels) then counts.trace else 0 end
        + case when 'DEBUG' = any (scope.levels) then counts.debug else 0 end
        + case when 'INFO' = any (scope.levels) then counts.info else 0 end
        + case when 'WARNING' = any (scope.levels) then counts.warning else 0 end
        + case when 'ERROR' = any (scope.levels) then counts.error else 0 end
        + case when 'FATAL' = any (scope.levels) then counts.fatal else 0 end as matching,
    counts.trace + counts.debug + counts.info + counts.warning + counts.error + counts.fatal as entries,
    counts.unparsed,
    counts.trace + counts.debug + counts.info + counts.warning + counts.error + counts.fatal
        + counts.continued + counts.unparsed as lines,
    coalesce(counts.first_at, counts.minute) as first_at,
    coalesce(counts.last_at, counts.minute) as last_at
from rule_scopes scope
join line_counts counts on counts.source_id = any (scope.members);
comment on view   rule_minutes is 'Lines counted by minute, as rules see them. Only to be read for one source and rule, and a range of minutes.';
comment on column rule_minutes.source_id is 'The source that alerts about it belong to.';
comment on column rule_minutes.rule_id is 'The rule.';
comment on column rule_minutes.minute is 'Start of the minute.';
comment on column rule_minutes.matching is 'Entries of the rule''s levels.';
comment on column rule_minutes.entries is 'Entries of any level.';
comment on column rule_minutes.unparsed is 'Lines that could not be parsed.';
comment on column rule_minutes.lines is 'All lines.';
comment on column rule_minutes.first_at is 'Time of the earliest line.';
comment on column rule_minutes.last_at is 'Time of the latest line.';

create view matching_counts as
-- As matching_entries: to be read for one source and rule, and a range of times.
select minutes.source_id, minutes.rule_id, '' as group_key, minutes.minute as at, minutes.matching
from rule_minutes minutes
join rule_scopes scope on scope.source_id = minutes.source_id and scope.rule_id = minutes.rule_id
where scope.counts_suffice
union all
select entry.source_id, entry.rule_id, entry.group_key, entry.logged_at, 1
from matching_entries entry
join rule_scopes scope on scope.source_id = entry.source_id and scope.rule_id = entry.rule_id
where not scope.counts_suffice;
comment on view   matching_counts is 'How many entries match a rule, by minute where the counts say so, else one by one. Only to be read for one source and rule, and a range of times.';
comment on column matching_counts.source_id is 'The source that alerts about it belong to.';
comment on column matching_counts.rule_id is 'The rule.';
comment on column matching_counts.group_key is 'Values of what the rule groups by besides the source.';
comment on column matching_counts.at is 'When: a minute, or the time of an entry.';
comment on column matching_counts.matching is 'How many.';

create view rule_signs_of_life as
-- As matching_entries: to be read for one source and rule, and a range of periods. The lines
-- between the first and the last one of a minute are taken to be of the time of the last.
select minutes.source_id, minutes.rule_id, '' as group_key, minutes.minute as period, sign.at, sign.lines
from rule_minutes minutes
join rule_scopes scope on scope.source_id = minutes.source_id and scope.rule_id = minutes.rule_id
cross join lateral (values (minutes.first_at, 1), (minutes.last_at, minutes.lines - 1)) as sign (at, lines)
where (scope.counts_suffice or scope.kind = 'blind')
  and sign.lines > 0
union all
select entry.source_id, entry.rule_id, entry.group_key, entry.logged_at, entry.logged_at, 1
from matching_entries entry
join rule_scopes scope on scope.source_id = entry.source_id and scope.rule_id = entry.rule_id
where not scope.counts_suffice
  and scope.kind <> 'blind';
comment on view   rule_signs_of_life is 'Lines whose absence a rule would notice. Only to be read for one source and rule, and a range of periods.';
comment on column rule_signs_of_life.source_id is 'The source that alerts about it belong to.';
comment on column rule_signs_of_life.rule_id is 'The rule.';
comment on column rule_signs_of_life.group_key is 'Values of what the rule groups by besides the source.';
comment on column rule_signs_of_life.period is 'Start of the minute that it was counted in, or its time.';
comment on column rule_signs_of_life.at is 'Its time.';
comment on column rule_signs_of_life.lines is 'How many lines of that time.';

-- Views of all other kinds have the same columns. What they say is kept in hot_intervals.

-- Intervals that are joined with what is kept -----------------------------------------------
-- Each entry can only make them longer.

create view hysteresis_hot as
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
comment on view   hysteresis_hot is 'When threshold rules with clear_below hold: while at least clear_below entries are in the window, from the moment at which there were count.';
comment on column hysteresis_hot.source_id is 'The source that the alerts belong to.';
comment on column hysteresis_hot.rule_id is 'The rule.';
comment on column hysteresis_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column hysteresis_hot.hot_from is 'From when it holds.';
comment on column hysteresis_hot.hot_until is 'Until when; infinity: until something comes.';
comment on column hysteresis_hot.full_from is 'From when there is an alert; null: there is none yet.';
comment on column hysteresis_hot.known_from is 'When it can be judged: once the reader has passed that time; null: at once.';
comment on column hysteresis_hot.measured is 'What was measured.';
comment on column hysteresis_hot.is_hot is 'Whether it holds: if not, what is kept of it is to be forgotten.';

create view new_hot as
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
comment on view   new_hot is 'How long messages, or values, are known after they were seen.';
comment on column new_hot.source_id is 'The source that the alerts belong to.';
comment on column new_hot.rule_id is 'The rule.';
comment on column new_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column new_hot.hot_from is 'From when it holds.';
comment on column new_hot.hot_until is 'Until when; infinity: until something comes.';
comment on column new_hot.full_from is 'From when there is an alert; null: there is none yet.';
comment on column new_hot.known_from is 'When it can be judged: once the reader has passed that time; null: at once.';
comment on column new_hot.measured is 'What was measured.';
comment on column new_hot.is_hot is 'Whether it holds: if not, what is kept of it is to be forgotten.';

create view sequence_hot as
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
comment on view   sequence_hot is 'When the patterns of sequence rules have been matched one after the other within the window.';
comment on column sequence_hot.source_id is 'The source that the alerts belong to.';
comment on column sequence_hot.rule_id is 'The rule.';
comment on column sequence_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column sequence_hot.hot_from is 'From when it holds.';
comment on column sequence_hot.hot_until is 'Until when; infinity: until something comes.';
comment on column sequence_hot.full_from is 'From when there is an alert; null: there is none yet.';
comment on column sequence_hot.known_from is 'When it can be judged: once the reader has passed that time; null: at once.';
comment on column sequence_hot.measured is 'What was measured.';
comment on column sequence_hot.is_hot is 'Whether it holds: if not, what is kept of it is to be forgotten.';

-- Intervals that replace what is kept --------------------------------------------------------
-- Of one that no longer holds there is a row as well where it is kept.

create view ratio_hot as
select
    judged.source_id,
    judged.rule_id,
    '' as group_key,
    counted.bucket as hot_from,
    counted.bucket + judged.within as hot_until,
    counted.bucket as full_from,
    counted.bucket + judged.within as known_from,
    round(100.0 * counted.matching / counted.entries, 2)::double precision as measured,
    counted.matching >= judged.at_least
        and 100 * counted.matching >= judged.percent * counted.entries as is_hot
from rules_to_judge judged
cross join lateral (
    select bucket, sum(matching) as matching, sum(entries) as entries
    from (
        select date_bin(judged.within, minutes.minute, 'epoch') as bucket, 0 as matching, minutes.entries
        from rule_minutes minutes
        where minutes.source_id = judged.source_id
          and minutes.rule_id = judged.rule_id
          and minutes.minute >= date_bin(judged.within, judged.dirty_from, 'epoch')
          and minutes.minute < date_bin(judged.within, judged.dirty_to, 'epoch') + judged.within
        union all
        select date_bin(judged.within, found.at, 'epoch'), found.matching, 0
        from matching_counts found
        where found.source_id = judged.source_id
          and found.rule_id = judged.rule_id
          and found.at >= date_bin(judged.within, judged.dirty_from, 'epoch')
          and found.at < date_bin(judged.within, judged.dirty_to, 'epoch') + judged.within
    ) part
    group by bucket
) counted
where judged.kind = 'ratio'
  and counted.entries > 0;
comment on view   ratio_hot is 'Buckets of ratio rules: the share of matching entries among all entries.';
comment on column ratio_hot.source_id is 'The source that the alerts belong to.';
comment on column ratio_hot.rule_id is 'The rule.';
comment on column ratio_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column ratio_hot.hot_from is 'From when it holds.';
comment on column ratio_hot.hot_until is 'Until when; infinity: until something comes.';
comment on column ratio_hot.full_from is 'From when there is an alert; null: there is none yet.';
comment on column ratio_hot.known_from is 'When it can be judged: once the reader has passed that time; null: at once.';
comment on column ratio_hot.measured is 'What was measured.';
comment on column ratio_hot.is_hot is 'Whether it holds: if not, what is kept of it is to be forgotten.';

create view spike_hot as
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
comment on view   spike_hot is 'Buckets of spike rules: how many entries match, against the bucket before.';
comment on column spike_hot.source_id is 'The source that the alerts belong to.';
comment on column spike_hot.rule_id is 'The rule.';
comment on column spike_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column spike_hot.hot_from is 'From when it holds.';
comment on column spike_hot.hot_until is 'Until when; infinity: until something comes.';
comment on column spike_hot.full_from is 'From when there is an alert; null: there is none yet.';
comment on column spike_hot.known_from is 'When it can be judged: once the reader has passed that time; null: at once.';
comment on column spike_hot.measured is 'What was measured.';
comment on column spike_hot.is_hot is 'Whether it holds: if not, what is kept of it is to be forgotten.';

create view baseline_hot as
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
comment on view   baseline_hot is 'Buckets of baseline rules: how many entries match, against the same time in the weeks before.';
comment on column baseline_hot.source_id is 'The source that the alerts belong to.';
comment on column baseline_hot.rule_id is 'The rule.';
comment on column baseline_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column baseline_hot.hot_from is 'From when it holds.';
comment on column baseline_hot.hot_until is 'Until when; infinity: until something comes.';
comment on column baseline_hot.full_from is 'From when there is an alert; null: there is none yet.';
comment on column baseline_hot.known_from is 'When it can be judged: once the reader has passed that time; null: at once.';
comment on column baseline_hot.measured is 'What was measured.';
comment on column baseline_hot.is_hot is 'Whether it holds: if not, what is kept of it is to be forgotten.';

create view distinct_hot as
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
comment on view   distinct_hot is 'Buckets of distinct rules: how many different values there are.';
comment on column distinct_hot.source_id is 'The source that the alerts belong to.';
comment on column distinct_hot.rule_id is 'The rule.';
comment on column distinct_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column distinct_hot.hot_from is 'From when it holds.';
comment on column distinct_hot.hot_until is 'Until when; infinity: until something comes.';
comment on column distinct_hot.full_from is 'From when there is an alert; null: there is none yet.';
comment on column distinct_hot.known_from is 'When it can be judged: once the reader has passed that time; null: at once.';
comment on column distinct_hot.measured is 'What was measured.';
comment on column distinct_hot.is_hot is 'Whether it holds: if not, what is kept of it is to be forgotten.';

create view unparsed_hot as
select
    judged.source_id,
    judged.rule_id,
    'unparsed' as group_key,
    counted.bucket as hot_from,
    counted.bucket + judged.within as hot_until,
    counted.bucket as full_from,
    counted.bucket + judged.within as known_from,
    round(100.0 * counted.unparsed / counted.lines, 2)::double precision as measured,
    counted.unparsed >= judged.at_least and 100 * counted.unparsed > judged.percent * counted.lines as is_hot
from rules_to_judge judged
cross join lateral (
    select
        date_bin(judged.within, minutes.minute, 'epoch') as bucket,
        sum(minutes.unparsed) as unparsed,
        sum(minutes.lines) as lines
    from rule_minutes minutes
    where minutes.source_id = judged.source_id
      and minutes.rule_id = judged.rule_id
      and minutes.minute >= date_bin(judged.within, judged.dirty_from, 'epoch')
      and minutes.minute < date_bin(judged.within, judged.dirty_to, 'epoch') + judged.within
    group by bucket
) counted
where judged.kind = 'blind'
  and counted.lines > 0;
comment on view   unparsed_hot is 'Buckets of blind rules: the share of lines that could not be parsed.';
comment on column unparsed_hot.source_id is 'The source that the alerts belong to.';
comment on column unparsed_hot.rule_id is 'The rule.';
comment on column unparsed_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column unparsed_hot.hot_from is 'From when it holds.';
comment on column unparsed_hot.hot_until is 'Until when; infinity: until something comes.';
comment on column unparsed_hot.full_from is 'From when there is an alert; null: there is none yet.';
comment on column unparsed_hot.known_from is 'When it can be judged: once the reader has passed that time; null: at once.';
comment on column unparsed_hot.measured is 'What was measured.';
comment on column unparsed_hot.is_hot is 'Whether it holds: if not, what is kept of it is to be forgotten.';

create view missing_follow_up_hot as
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
                partition by matching.source_id, matching.group_key order by matching.logged_at
                range between current row and unbounded following
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
comment on view   missing_follow_up_hot is 'Entries of the first step that the second did not follow in time.';
comment on column missing_follow_up_hot.source_id is 'The source that the alerts belong to.';
comment on column missing_follow_up_hot.rule_id is 'The rule.';
comment on column missing_follow_up_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column missing_follow_up_hot.hot_from is 'From when it holds.';
comment on column missing_follow_up_hot.hot_until is 'Until when; infinity: until something comes.';
comment on column missing_follow_up_hot.full_from is 'From when there is an alert; null: there is none yet.';
comment on column missing_follow_up_hot.known_from is 'When it can be judged: once the reader has passed that time; null: at once.';
comment on column missing_follow_up_hot.measured is 'What was measured.';
comment on column missing_follow_up_hot.is_hot is 'Whether it holds: if not, what is kept of it is to be forgotten.';

create view silence_hot as
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
              and sign.period >= date_trunc('minute', judged.dirty_from - quiet.length)
              and sign.period <= judged.dirty_to + quiet.length
              and sign.at >= judged.dirty_from - quiet.length
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
comment on view   silence_hot is 'When there are too few lines: absence rules, and the silence of blind ones. A row that is not hot says for which time the others are all.';
comment on column silence_hot.source_id is 'The source that the alerts belong to.';
comment on column silence_hot.rule_id is 'The rule.';
comment on column silence_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column silence_hot.hot_from is 'From when it holds.';
comment on column silence_hot.hot_until is 'Until when; infinity: until something comes.';
comment on column silence_hot.full_from is 'From when there is an alert; null: there is none yet.';
comment on column silence_hot.known_from is 'When it can be judged: once the reader has passed that time; null: at once.';
comment on column silence_hot.measured is 'What was measured.';
comment on column silence_hot.is_hot is 'Whether it holds: if not, what is kept of it is to be forgotten.';

create view unreadable_hot as
select
    judged.source_id,
    judged.rule_id,
    error.group_key,
    error.hot_from,
    error.hot_until,
    error.hot_from as full_from,
    null::timestamptz as known_from,
    error.measured::double precision as measured,
    true as is_hot
from (
    -- They are few, and whether one is there does not depend on the ranges.
    select distinct source_id, rule_id from rules_to_judge where kind = 'blind'
) judged
join ingest_state state on state.source_id = judged.source_id
cross join lateral (
    select 'unreadable' as group_key, state.last_error_since as hot_from, 'infinity'::timestamptz as hot_until, 1 as measured
    where state.last_error is not null
    union all
    select kept.group_key, kept.hot_from,
        greatest(kept.hot_from, coalesce(state.last_error_since, state.read_to_end_at, state.last_logged_at)), 1
    from hot_intervals kept
    where kept.source_id = judged.source_id
      and kept.rule_id = judged.rule_id
      and kept.group_key = 'unreadable'
      and kept.hot_until = 'infinity'
      and state.last_error_since is distinct from kept.hot_from
    union all
    -- A rule that fails again and again sees nothing either.
    select left('rule ' || failing.name, 200) as group_key, backlog.failed_since, 'infinity'::timestamptz as hot_until, backlog.failures
    from rule_backlog backlog
    join alert_rules failing on failing.id = backlog.rule_id
    where backlog.source_id = judged.source_id
      and backlog.failures >= 3
    union all
    select kept.group_key, kept.hot_from,
        greatest(kept.hot_from, coalesce(state.read_to_end_at, state.last_logged_at)), kept.measured
    from hot_intervals kept
    where kept.source_id = judged.source_id
      and kept.rule_id = judged.rule_id
      and kept.group_key like 'rule %'
      and kept.hot_until = 'infinity'
      and not exists (
          select
          from rule_backlog backlog
          join alert_rules failing on failing.id = backlog.rule_id
          where backlog.source_id = judged.source_id
            and backlog.failures > 0
            and kept.group_key = left('rule ' || failing.name, 200)
      )
    union all
    select 'gap' as group_key, gap.detected_at, gap.detected_at, sum(coalesce(gap.lost_bytes, 0))
    from ingest_gaps gap
    where gap.source_id = judged.source_id
      and gap.detected_at <@ (state.counted + state.dirty)
    group by gap.detected_at
) error;
comment on view   unreadable_hot is 'When sources could not be read, and when bytes of them were lost.';
comment on column unreadable_hot.source_id is 'The source that the alerts belong to.';
comment on column unreadable_hot.rule_id is 'The rule.';
comment on column unreadable_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column unreadable_hot.hot_from is 'From when it holds.';
comment on column unreadable_hot.hot_until is 'Until when; infinity: until something comes.';
comment on column unreadable_hot.full_from is 'From when there is an alert; null: there is none yet.';
comment on column unreadable_hot.known_from is 'When it can be judged: once the reader has passed that time; null: at once.';
comment on column unreadable_hot.measured is 'What was measured.';
comment on column unreadable_hot.is_hot is 'Whether it holds: if not, what is kept of it is to be forgotten.';
