//! What rules would have fired over what is stored.
//!
//! The same views say it with the same SQL, and the same functions make episodes of it; only is
//! all of it done with copies of the rules that are rolled back.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};

use super::interval::{Episode, FOREVER};
use super::judge::{Concerned, episodes};
use super::trial::{copy, trial};
use super::{kept, own_view};
use crate::config::{RuleConfig, RuleKind};
use crate::model::{EventTime, SourceId, Tick};
use crate::store::StoreError;

/// What to try rules on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// From when on; an alert that goes on then counts from there. `None`: from the first line on.
    pub from: Option<DateTime<Utc>>,
    /// Up to when; an alert that begins later does not count. `None`: up to the last reading.
    pub to: Option<DateTime<Utc>>,
}

/// What there is of the sources that a rule judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Seen {
    /// The first entry that is stored.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub first_entry_at: Option<DateTime<Utc>>,
    /// The last one.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_entry_at: Option<DateTime<Utc>>,
    /// The first line that was counted.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub first_line_at: Option<DateTime<Utc>>,
    /// The last one.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_line_at: Option<DateTime<Utc>>,
    /// When they were last read to their end.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub read_at: Option<DateTime<Utc>>,
}

/// What rules would have fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Backtest {
    /// What there is.
    pub seen: Seen,
    /// What was looked at of it; `None`: there is nothing.
    pub looked_at: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// The alerts of each rule, in the order of the rules.
    pub alerts: Vec<Vec<WouldBe>>,
}

/// An alert that would have been.
#[derive(Clone, Debug, PartialEq)]
pub struct WouldBe {
    /// The source that it would have belonged to.
    pub source: SourceId,
    /// What the rule groups by besides the source.
    pub group: String,
    /// When the rule began to hold.
    pub started_at: DateTime<Utc>,
    /// When it no longer did; `None`: it still holds.
    pub ended_at: Option<DateTime<Utc>>,
    /// What was measured at its worst.
    pub measured: f64,
}

/// Tries rules of a host (`*`: of all), which judge the same sources, on what is stored.
///
/// Of blind rules, it does not know when a log could not be read.
pub fn backtest(
    connection: &mut PgConnection,
    host: &str,
    rules: &[RuleConfig],
    span: Span,
    tick: Tick,
) -> Result<Backtest, StoreError> {
    trial(connection, |connection| {
        let mut copies = Vec::new();
        for (place, rule) in (1..).zip(rules) {
            copies.push((copy(connection, host, place, rule, tick)?, rule));
        }
        let Some((first, _)) = copies.first() else {
            return Ok(Backtest { seen: NOTHING, looked_at: None, alerts: Vec::new() });
        };
        let seen = diesel::sql_query(include_str!("seen_in_trial.sql"))
            .bind::<BigInt, _>(first)
            .bind::<Timestamptz, _>(tick.0)
            .get_result::<Seen>(connection)?;
        let looked_at = seen.within(span);
        let alerts = copies.iter().map(|(id, rule)| match looked_at {
            None => Ok(Vec::new()),
            Some((from, to)) => {
                Trying { id: *id, rule, host, span, from, to, tick }.run(connection)
            }
        });
        Ok(Backtest { seen, looked_at, alerts: alerts.collect::<Result<_, StoreError>>()? })
    })
}

const NOTHING: Seen = Seen {
    first_entry_at: None,
    last_entry_at: None,
    first_line_at: None,
    last_line_at: None,
    read_at: None,
};

impl Seen {
    /// What there is of a span of time; `None`: nothing.
    fn within(&self, span: Span) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let first = [self.first_entry_at, self.first_line_at].into_iter().flatten().min()?;
        let last =
            [self.last_entry_at, self.last_line_at, self.read_at].into_iter().flatten().max()?;
        let from = span.from.map_or(first, |from| from.max(first));
        let to = span.to.map_or(last, |to| to.min(last));
        (from <= to).then_some((from, to))
    }
}

/// A copy of a rule that is tried.
struct Trying<'a> {
    id: i64,
    rule: &'a RuleConfig,
    host: &'a str,
    span: Span,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    tick: Tick,
}

impl Trying<'_> {
    fn run(&self, connection: &mut PgConnection) -> Result<Vec<WouldBe>, StoreError> {
        #[derive(QueryableByName)]
        struct Judged {
            #[diesel(sql_type = BigInt)]
            source_id: i64,
            #[diesel(sql_type = Nullable<Timestamptz>)]
            read_until: Option<DateTime<Utc>>,
        }
        let sources = diesel::sql_query(include_str!("judge_in_trial.sql"))
            .bind::<BigInt, _>(self.id)
            .bind::<Timestamptz, _>(self.judged_from())
            .bind::<Timestamptz, _>(self.to)
            .bind::<Timestamptz, _>(self.tick.0)
            .load::<Judged>(connection)?;
        let mut alerts = Vec::new();
        for judged in sources {
            let source = SourceId(judged.source_id);
            let found = self.episodes(connection, source, judged.read_until)?;
            let found = found.into_iter().filter_map(|episode| self.counted(episode));
            alerts.extend(found.map(|episode| would_be(source, episode)));
        }
        alerts.sort_by(|a, b| {
            (a.started_at, a.source.0, &a.group).cmp(&(b.started_at, b.source.0, &b.group))
        });
        Ok(alerts)
    }

    /// As a run would find them.
    fn episodes(
        &self,
        connection: &mut PgConnection,
        source: SourceId,
        read_until: Option<DateTime<Utc>>,
    ) -> Result<Vec<Episode>, StoreError> {
        if self.rule.kind == RuleKind::Sql {
            return own_view::episodes(connection, self.host, self.id);
        }
        match kept::kind_in_views(self.rule) {
            None => {
                let concerned = Concerned::one(source, self.id);
                Ok(episodes(connection, &concerned)?.remove(&source).unwrap_or_default())
            }
            Some(kind) => kept::episodes(connection, source, kind, self.id, read_until),
        }
    }

    /// So far before the beginning that one sees what went on then, and what was known.
    fn judged_from(&self) -> DateTime<Utc> {
        let rule = self.rule;
        let around = rule.within + rule.within + rule.keep_firing;
        let lengths =
            [Some(around), rule.lookback.filter(|_| looks_back(rule.kind)), rule.stale_after];
        let before = lengths.into_iter().flatten().max().unwrap_or_default();
        self.from.checked_sub_signed(before).unwrap_or(self.from)
    }

    /// What of an episode counts; `None`: nobody would have been told, or not in that time.
    fn counted(&self, mut episode: Episode) -> Option<Episode> {
        let lasted = episode.ended_at.0.saturating_sub(episode.started_at.0);
        let is_long_enough = lasted >= self.rule.holds_for.num_microseconds().unwrap_or(i64::MAX);
        if !is_long_enough || episode.started_at > self.to.into() {
            return None;
        }
        // Without a beginning nothing is cut: a bucket begins before the first line in it.
        if let Some(from) = self.span.from.map(EventTime::from)
            && episode.started_at < from
        {
            episode.started_at = from;
            return (episode.ended_at > from).then_some(episode);
        }
        Some(episode)
    }
}

/// Whether what was there long before decides.
fn looks_back(kind: RuleKind) -> bool {
    matches!(kind, RuleKind::New | RuleKind::Absence)
}

fn would_be(source: SourceId, episode: Episode) -> WouldBe {
    WouldBe {
        source,
        group: episode.key.group,
        started_at: episode.started_at.to_utc(),
        ended_at: (episode.ended_at < FOREVER).then(|| episode.ended_at.to_utc()),
        measured: episode.measured,
    }
}

impl WouldBe {
    /// How long it had lasted at a time.
    pub fn lasted(&self, until: DateTime<Utc>) -> TimeDelta {
        let ended_at = self.ended_at.map_or(until, |ended_at| ended_at.min(until));
        (ended_at - self.started_at).max(TimeDelta::zero())
    }
}
