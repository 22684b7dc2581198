drop table rule_backlog;
drop table hot_intervals;

drop index open_alerts;
create index open_alerts on alerts (source_id, ended_at)
    where resolved_at is null and merged_into is null and retracted_at is null;
comment on column alerts.ended_at is 'Event time from which it no longer holds, unless further entries come.';
comment on column alerts.started_at is 'Event time of the entry with which the rule began to hold.';
comment on column alerts.threshold is 'The rule''s count when the alert was recorded.';
comment on column alerts.measured is 'Most matching entries in one window during the episode.';
comment on column alerts.resolved_at is 'The tick at which it was found to be over; null while it fires.';
delete from alerts where resolved_at is not null and fired_at is null;
update alerts set ended_at = started_at where ended_at = 'infinity';
alter table alerts
    add constraint resolved_after_fired check (resolved_at is null or fired_at is not null),
    alter column threshold type bigint,
    alter column measured type bigint;

alter table line_counts
    drop column first_at,
    drop column last_at;

alter table ingest_state
    drop column counted,
    drop column held,
    drop column judge_at,
    drop column judged_until;

-- An earlier version knows only the first kind.
delete from notifications where (source_id, alert_id) in (
    select alert.source_id, alert.id
    from alerts alert
    join alert_rules rule on rule.id = alert.rule_id
    where rule.kind <> 'threshold'
);
delete from alerts where rule_id in (select id from alert_rules where kind <> 'threshold');
delete from alert_rules where kind <> 'threshold';
comment on column alert_rules.group_by is 'What each has an alert of its own: source.';
comment on column alert_rules.within is 'Length of the window (t - within, t].';
comment on column alert_rules.count is 'How many matching entries within the window make the rule hold.';
comment on column alert_rules.kind is 'Which view evaluates it: threshold.';
alter table alert_rules
    drop constraint clear_below_is_below,
    drop constraint percent_is_a_share,
    drop constraint kind_is_known,
    drop column reads_counts,
    drop column exclude,
    drop column match_entry,
    drop column sources,
    drop column percent,
    drop column at_least,
    drop column factor,
    drop column floor,
    drop column lookback,
    drop column clear_below,
    drop column steps,
    drop column value,
    drop column stale_after,
    drop column view,
    drop column holds_for,
    drop column keep_firing,
    drop column active,
    drop column runbook,
    add constraint kind_is_known check (kind in ('threshold'));

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
    state.source_id,
    rule.id                      as rule_id,
    entry.group_key,
    entry.logged_at              as hot_from,
    entry.oldest_at + rule.within as hot_until,
    entry.measured
from alert_rules rule
join sources source on rule.host in (source.host, '*')
join ingest_state state on state.source_id = source.id
cross join lateral unnest(state.dirty) as dirty (range)
cross join lateral (
    select
        matching.logged_at,
        matching.group_key,
        lag(matching.logged_at, rule.count - 1) over in_order as oldest_at,
        row_number() over in_order - count(*) over (
            in_order range between unbounded preceding and rule.within preceding
        ) as measured
    from (
        select log_entries.source_id, log_entries.logged_at, '' as group_key
        from log_entries
        where log_entries.source_id = state.source_id
          and log_entries.logged_at > lower(dirty.range) - rule.within
          and log_entries.logged_at < upper(dirty.range) + rule.within
          and log_entries.level = any (rule.levels)
          and (rule.pattern is null or split_part(log_entries.message, e'\n', 1) ~ rule.pattern)
    ) matching
    window in_order as (partition by matching.source_id, matching.group_key order by matching.logged_at)
) entry
where rule.kind = 'threshold'
  and rule.retired_at is null
  and entry.logged_at >= lower(dirty.range)
  and entry.oldest_at > entry.logged_at - rule.within;
comment on view   threshold_hot is 'When threshold rules hold, as intervals that may overlap. Looks only around event times that are not evaluated yet.';
comment on column threshold_hot.source_id is 'The source.';
comment on column threshold_hot.rule_id is 'The rule.';
comment on column threshold_hot.group_key is 'Values of what the rule groups by besides the source.';
comment on column threshold_hot.hot_from is 'Event time of the entry that fills the window.';
comment on column threshold_hot.hot_until is 'When the window is no longer full.';
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
        select state.source_id, rule.id, alert.group_key, tstzrange(alert.started_at, alert.ended_at, '[]'), alert.measured
        from ingest_state state
        cross join lateral unnest(state.dirty) as dirty (range)
        join sources source on source.id = state.source_id
        join alert_rules rule on rule.host in (source.host, '*') and rule.retired_at is null
        -- As above: distinct, of which there is no need, keeps the subquery from being
        -- flattened. Otherwise all alerts ever are read to find those few.
        cross join lateral (
            select distinct alerts.source_id, alerts.group_key, alerts.started_at, alerts.ended_at, alerts.measured
            from alerts
            where alerts.source_id = state.source_id
              and alerts.rule_id = rule.id
              and alerts.merged_into is null
              and alerts.retracted_at is null
              -- An entry at upper(dirty) can make the rule hold up to two windows later.
              and tstzrange(alerts.started_at, alerts.ended_at, '[]')
                  && tstzrange(lower(dirty.range), upper(dirty.range) + 2 * rule.within, '[]')
        ) alert
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
comment on view   alert_episodes is 'Episodes around the event times that are not evaluated yet: what the table alerts must say once they are.';
comment on column alert_episodes.source_id is 'The source.';
comment on column alert_episodes.rule_id is 'The rule.';
comment on column alert_episodes.group_key is 'Values of what the rule groups by besides the source.';
comment on column alert_episodes.started_at is 'When the rule begins to hold.';
comment on column alert_episodes.ended_at is 'When it no longer holds, unless further entries come.';
comment on column alert_episodes.measured is 'Most matching entries in one window.';
