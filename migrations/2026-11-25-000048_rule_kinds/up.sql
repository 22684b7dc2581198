-- Rules of every kind: what their rows say, what is kept between two evaluations, and the times
-- of lines to the microsecond, from which silence is measured.

drop view alert_episodes;
drop view threshold_hot;

-- alert_rules -----------------------------------------------------------------------------

alter table alert_rules
    drop constraint kind_is_known,
    add column exclude      text[]           not null default '{}',
    add column match_entry  boolean          not null default false,
    add column sources      text[],
    add column percent      double precision,
    add column at_least     integer,
    add column factor       double precision,
    add column floor        double precision,
    add column lookback     interval,
    add column clear_below  integer,
    add column steps        text[]           not null default '{}',
    add column value        text,
    add column stale_after  interval,
    add column view         text,
    add column holds_for    interval         not null default '0',
    add column keep_firing  interval         not null default '0',
    add column active       text,
    add column runbook      text,
    add column reads_counts boolean          not null generated always as (
        kind in ('ratio', 'blind')
        or kind in ('spike', 'baseline', 'absence')
            and pattern is null and cardinality(exclude) = 0 and group_by <@ array['source']
            and (kind <> 'absence' or cardinality(levels) = 6)
            and extract(epoch from within) % 60 = 0
    ) stored,
    add constraint kind_is_known check (kind in (
        'threshold', 'ratio', 'spike', 'baseline', 'absence', 'new', 'distinct',
        'missing_follow_up', 'sequence', 'blind', 'sql'
    )),
    add constraint percent_is_a_share check (percent > 0 and percent <= 100),
    add constraint clear_below_is_below check (clear_below > 0 and clear_below <= count);
comment on column alert_rules.kind is 'Which view says when it holds: threshold, ratio, spike, baseline, absence, new, distinct, missing_follow_up, sequence, blind, sql.';
comment on column alert_rules.count is 'How many matching entries (distinct: values) within the window make the rule hold; absence: fewer than these do.';
comment on column alert_rules.within is 'Length of the window (t - within, t], or of the buckets.';
comment on column alert_rules.group_by is 'What each has an alert of its own: source, host, level, fingerprint, message, $1 and so on for what the pattern captures, fields.NAME.';
comment on column alert_rules.exclude is 'Regular expressions: an entry whose first line matches one of them does not count.';
comment on column alert_rules.match_entry is 'Whether patterns are tried on the whole text of an entry instead of its first line.';
comment on column alert_rules.sources is 'Names or paths of the sources that it judges; null: all.';
comment on column alert_rules.percent is 'ratio: least share of matching entries, in percent; blind: least share of lines that could not be parsed.';
comment on column alert_rules.at_least is 'ratio, spike, baseline: with fewer matching entries it does not hold.';
comment on column alert_rules.factor is 'spike, baseline: how many times as many as usual.';
comment on column alert_rules.floor is 'spike: with fewer in the window before, so many are taken for usual.';
comment on column alert_rules.lookback is 'new: not seen for so long; absence: seen within; baseline: over how many weeks the median is taken.';
comment on column alert_rules.clear_below is 'threshold: once it holds, it holds until fewer than these are in the window; null: count.';
comment on column alert_rules.steps is 'missing_follow_up: the pattern and what must follow it; sequence: the patterns in their order.';
comment on column alert_rules.value is 'distinct: whose values are counted: $1 or fields.NAME.';
comment on column alert_rules.stale_after is 'blind: a source without a line for so long is silent.';
comment on column alert_rules.view is 'sql: the view that says when it holds.';
comment on column alert_rules.holds_for is 'An alert fires once the rule has held for so long.';
comment on column alert_rules.keep_firing is 'How long it is taken to hold on after it no longer does.';
comment on column alert_rules.active is 'When its alerts are announced, as the config writes it; null: always.';
comment on column alert_rules.runbook is 'Where it says what to do.';
comment on column alert_rules.reads_counts is 'Whether line_counts say what it needs to know, rather than log_entries.';

-- ingest_state ----------------------------------------------------------------------------

alter table ingest_state
    add column counted  tstzmultirange not null default '{}',
    add column held     tstzmultirange not null default '{}',
    add column judge_at timestamptz,
    add column judged_until timestamptz;
comment on column ingest_state.counted is 'Event times of lines, stored or not, that are not evaluated yet by rules which read counts.';
comment on column ingest_state.held is 'Event times at which a rule would hold if nothing else came; to be evaluated again.';
comment on column ingest_state.judge_at is 'When the first of them can be judged: once the reader has passed it.';
comment on column ingest_state.judged_until is 'What was logged before that was judged as complete; what comes late is judged anew.';

-- line_counts -----------------------------------------------------------------------------

alter table line_counts
    add column first_at timestamptz,
    add column last_at  timestamptz;
comment on column line_counts.first_at is 'Time of its earliest line; null: counted by an earlier version.';
comment on column line_counts.last_at is 'Time of its latest line.';

-- alerts ----------------------------------------------------------------------------------

alter table alerts
    drop constraint resolved_after_fired,
    alter column measured type double precision,
    alter column threshold type double precision;
comment on column alerts.measured is 'What was measured at its worst, in the unit of the threshold: entries in one window, a share in percent, values.';
comment on column alerts.threshold is 'What the rule compares it with: its count, percent, or what at_least and factor made of it; when the alert was recorded.';
comment on column alerts.started_at is 'Event time at which the rule began to hold.';
comment on column alerts.ended_at is 'Event time from which it no longer holds, unless further entries come; infinity: only they can end it.';
comment on column alerts.resolved_at is 'The tick at which it was found to be over, announced or not; null while it fires.';
drop index open_alerts;
create index open_alerts on alerts (source_id, ended_at)
    where resolved_at is null and merged_into is null and (retracted_at is null or fired_at is not null);

-- hot_intervals ---------------------------------------------------------------------------

create table hot_intervals (
    source_id bigint           not null,
    rule_id   bigint           not null,
    group_key text             not null,
    hot_from  timestamptz      not null,
    hot_until timestamptz      not null,
    full_from timestamptz,
    measured  double precision not null,
    constraint hot_intervals_pkey primary key (source_id, rule_id, group_key, hot_from),
    constraint intervals_of_a_source foreign key (source_id) references sources (id),
    constraint intervals_of_a_rule foreign key (rule_id) references alert_rules (id),
    constraint ends_after_it_starts check (hot_from <= hot_until),
    constraint group_key_fits_an_index check (length(group_key) <= 200)
);
create index intervals_of_rule on hot_intervals (rule_id);
create index hot_intervals_by_time on hot_intervals using gist (
    source_id, rule_id, group_key, tstzrange(hot_from, hot_until, '[]')
);
comment on table  hot_intervals is 'When rules hold, as their views have found: kept for the kinds whose alerts cannot be told from new entries and stored alerts alone.';
comment on column hot_intervals.source_id is 'The source, or the one that stands for all of them.';
comment on column hot_intervals.rule_id is 'The rule.';
comment on column hot_intervals.group_key is 'Values of what the rule groups by besides the source.';
comment on column hot_intervals.hot_from is 'From when it holds.';
comment on column hot_intervals.hot_until is 'Until when; infinity: until something comes.';
comment on column hot_intervals.full_from is 'From when there is an alert: with clear_below, when the count is reached; null: there is none.';
comment on column hot_intervals.measured is 'What was measured.';

-- rule_backlog ----------------------------------------------------------------------------

create table rule_backlog (
    source_id    bigint         not null,
    rule_id      bigint         not null,
    dirty        tstzmultirange not null,
    is_learning  boolean        not null default false,
    failures     integer        not null default 0,
    failed_since timestamptz,
    last_error   text,
    shown_at     timestamptz,
    next_try_at  timestamptz,
    constraint rule_backlog_pkey primary key (source_id, rule_id),
    constraint backlog_of_a_source foreign key (source_id) references sources (id),
    constraint backlog_of_a_rule foreign key (rule_id) references alert_rules (id)
);
create index backlog_of_rule on rule_backlog (rule_id);
comment on table  rule_backlog is 'What a rule has not evaluated yet of a source while the other rules have: because it failed, or because it is new.';
comment on column rule_backlog.source_id is 'The source.';
comment on column rule_backlog.rule_id is 'The rule.';
comment on column rule_backlog.dirty is 'Event times that it has not evaluated.';
comment on column rule_backlog.is_learning is 'Whether it only learns what there is, and raises no alert about it.';
comment on column rule_backlog.failures is 'How many times in a row it failed.';
comment on column rule_backlog.failed_since is 'The tick at which it failed first.';
comment on column rule_backlog.last_error is 'Why it failed the last time.';
comment on column rule_backlog.shown_at is 'The tick at which that was last printed.';
comment on column rule_backlog.next_try_at is 'Not to be tried before.';
