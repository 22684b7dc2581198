//! One tick: the stages in their order, for the cron job and for replayed cases alike.
//!
//! In: an open database, the config, the moment. Out: the figures of what was done. What
//! fails is logged here and counted; only what stops everything is returned as an error.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::SecondsFormat;
use diesel::pg::PgConnection;

use crate::alerting::{self, Pending, RuleError, RuleFailure, RulesInUse, Storms};
use crate::config::{ChannelConfig, Config, RuleConfig, RuleKind};
use crate::ingest::{self, AfterChunk, Ingest, Outcome, Progress, ReadLimits, Target};
use crate::model::{self, SourceId, Tick};
use crate::notify::{self, ChannelFailure, Connect, Delivery};
use crate::store::StoreError;
use crate::store::runs::Figures;
use crate::store::sources::{self, Source};
use crate::store::transaction::{Patience, transaction};
use crate::visible;

/// A path alone may have 4096 characters.
const MESSAGE_CHARS: usize = 8192;

/// After a chunk of so many lines the rules are evaluated at once.
const MANY_LINES: i64 = 10_000;
/// How many sources are evaluated in one transaction: at first so many, and up to so many if that
/// takes but a moment. Whoever wants to read one of them has to wait for all.
const FEW_TOGETHER: usize = 8;
const MANY_TOGETHER: usize = 64;
const A_MOMENT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(1);
/// How many short slices of a source are evaluated so. One that has more is far behind.
const SLICES_TOGETHER: usize = 3;

/// What the stages of one tick have in common.
#[derive(Clone, Copy)]
pub struct Pipeline<'a> {
    /// The name of this host.
    pub host: &'a str,
    /// What is to be read, and judged by which rules.
    pub config: &'a Config,
    /// The moment of the run.
    pub tick: Tick,
    /// Set by SIGTERM and SIGINT: stop at the next safe point.
    pub stop: &'a AtomicBool,
    /// How much is read.
    pub limits: ReadLimits,
    /// Who is told how far the reading is.
    pub progress: Option<&'a dyn Progress>,
    /// For the channels, each of which has a connection of its own; `None`: nobody is told.
    pub connect: Option<&'a dyn Connect>,
}

impl Pipeline<'_> {
    /// The rules that the database has in use.
    ///
    /// # Errors
    /// When the database fails.
    pub fn rules_in_use(&self, connection: &mut PgConnection) -> Result<RulesInUse, StoreError> {
        let host = if self.config.evaluate.all_hosts { "*" } else { self.host };
        alerting::in_use(connection, host)
    }

    /// The sources that the database knows of this host.
    ///
    /// # Errors
    /// When the database fails.
    pub fn known_sources(&self, connection: &mut PgConnection) -> Result<Vec<Source>, StoreError> {
        sources::load(connection, self.host)
    }

    /// Brings the rules in the database to what the config says.
    ///
    /// # Errors
    /// When a pattern is no regular expression, or the database fails.
    pub fn sync_rules(
        &self,
        connection: &mut PgConnection,
        in_use: &RulesInUse,
    ) -> Result<(), RuleError> {
        alerting::sync(connection, in_use, &self.config.rules, self.tick)
    }

    /// The first stage: reads the targets, of which some are known, and tells what failed and
    /// what was lost.
    ///
    /// # Errors
    /// When the database fails, or another run reads the same sources.
    pub fn read(
        &self,
        connection: &mut PgConnection,
        known: Vec<Source>,
        targets: &[Target],
        after_chunk: &mut AfterChunk<'_>,
    ) -> Result<Outcome, StoreError> {
        let stage = Ingest {
            host: self.host,
            tick: self.tick,
            partition_interval: self.config.database.partition,
            limits: self.limits,
            progress: self.progress,
            stop: self.stop,
        };
        let outcome = ingest::run(connection, &stage, known, targets, after_chunk)?;
        for failure in outcome.failures.iter().filter(|failure| failure.tell) {
            log::error!("{}", visible::line(&failure.message, MESSAGE_CHARS));
        }
        if outcome.has_more {
            let bytes = outcome.figures.bytes;
            log::info!(
                "ended after {bytes} bytes of log, as --max-bytes or --max-seconds says; the \
                 next run reads on"
            );
        }
        for warning in &outcome.warnings {
            log::warn!("{}", visible::line(warning, MESSAGE_CHARS));
        }
        for (path, gap) in &outcome.gaps {
            let lost = model::loss(gap.lost_bytes);
            log::warn!(
                "{}: {}; {lost}",
                visible::line(&path.to_string_lossy(), MESSAGE_CHARS),
                visible::line(&gap.reason, MESSAGE_CHARS)
            );
        }
        Ok(outcome)
    }

    /// The first stage, with the rules evaluated after each long chunk, so that no backlog of
    /// entries piles up. The others are left to the second stage, which evaluates many together.
    ///
    /// # Errors
    /// As [`Pipeline::read`].
    pub fn read_and_evaluate(
        &self,
        connection: &mut PgConnection,
        known: Vec<Source>,
        targets: &[Target],
    ) -> Result<Outcome, StoreError> {
        let mut evaluation = Figures::default();
        let mut outcome =
            self.read(connection, known, targets, &mut |connection, source, lines| {
                if lines < MANY_LINES || self.is_to_stop() {
                    return Ok(());
                }
                match alerting::evaluate(connection, source, self.tick) {
                    Ok(failures) => tell_of_rules(&failures, &mut evaluation),
                    Err(error) => tell(error, &mut evaluation)?,
                }
                Ok(())
            })?;
        outcome.figures.errors += evaluation.errors;
        Ok(outcome)
    }

    /// The second and the third stage: from entries to alerts, from alerts to people.
    ///
    /// A source that cannot be evaluated does not stop the others. Returns whether all was done
    /// before the process was asked to end.
    ///
    /// # Errors
    /// When the database is lost or locked.
    pub fn evaluate_and_deliver(
        &self,
        connection: &mut PgConnection,
        figures: &mut Figures,
        stdout: &mut dyn Write,
    ) -> Result<bool, StoreError> {
        let host = (!self.config.evaluate.all_hosts).then_some(self.host);
        if self.config.rules.iter().any(|rule| rule.kind == RuleKind::Sql) {
            for failure in alerting::evaluate_views(connection, host.unwrap_or("*"), self.tick)? {
                log::error!("{failure}");
                figures.errors += 1;
            }
        }
        // Most runs have nothing to evaluate and nothing to tell: that is found out at once.
        let (sources, is_due) = transaction(connection, Patience::Short, |connection| {
            let sources = alerting::sources_to_evaluate(connection, host, self.tick)?;
            Ok((sources, notify::is_any_due(connection, self.host, self.tick)?))
        })?;
        // What a channel has failed to deliver may be due for its fallback, though not for it; and
        // some have to hear of what fires in each run.
        let is_looked_at =
            |channel: &ChannelConfig| channel.fallback.is_some() || channel.is_refreshed();
        let is_looked_at = self.config.channels.iter().any(is_looked_at);
        if sources.is_empty() && !is_due && !is_looked_at {
            return Ok(true);
        }
        let mut storms = Storms::new(self.config.delivery.storm_cap);
        if !self.evaluate_each(connection, &sources, false, &mut storms, figures)? {
            return Ok(false);
        }
        // Those that stand for others are told by these what they have to look at.
        if self.config.rules.iter().any(RuleConfig::is_across_sources) {
            let sources = alerting::sources_to_evaluate(connection, host, self.tick)?;
            if !self.evaluate_each(connection, &sources, true, &mut storms, figures)? {
                return Ok(false);
            }
        }
        alerting::end_storms(connection, self.config, self.tick)?;
        let Some(connect) = self.connect else {
            notify::pretend(connection, self.host, self.tick)?;
            return Ok(true);
        };
        let delivery = Delivery {
            host: self.host,
            channels: &self.config.channels,
            config: &self.config.delivery,
            tick: self.tick,
            stop: self.stop,
            connect,
        };
        let failures = notify::deliver(connection, &delivery, stdout)?;
        tell_of_channels(&failures, figures);
        Ok(true)
    }

    /// Evaluates and announces the sources that stand for others, or those that do not. Returns
    /// whether all was done before the process was asked to end.
    fn evaluate_each(
        &self,
        connection: &mut PgConnection,
        sources: &[Pending],
        stands_for_others: bool,
        storms: &mut Storms,
        figures: &mut Figures,
    ) -> Result<bool, StoreError> {
        let pending = sources.iter().filter(|one| one.stands_for_others == stands_for_others);
        let sources: Vec<SourceId> = pending.map(|one| one.source).collect();
        for source in self.evaluate_together(connection, &sources)? {
            if self.is_to_stop() {
                return Ok(false);
            }
            match alerting::evaluate(connection, source, self.tick) {
                Ok(failures) => tell_of_rules(&failures, figures),
                Err(error) => tell(error, figures)?,
            }
        }
        for source in alerting::with_open_alerts(connection, &sources)? {
            if self.is_to_stop() {
                return Ok(false);
            }
            let (host, config, tick) = (self.host, self.config, self.tick);
            match alerting::announce(connection, source, host, config, tick, storms) {
                Ok(announced) => {
                    figures.alerts_fired += announced.fired;
                    figures.alerts_resolved += announced.resolved;
                }
                Err(error) => tell(error, figures)?,
            }
        }
        Ok(!self.is_to_stop())
    }

    /// Evaluates short slices of the sources, many at once, and returns the sources that are to be
    /// evaluated one by one.
    fn evaluate_together(
        &self,
        connection: &mut PgConnection,
        sources: &[SourceId],
    ) -> Result<Vec<SourceId>, StoreError> {
        let mut more = sources.to_vec();
        let mut alone = Vec::new();
        let mut size = FEW_TOGETHER;
        for _ in 0..SLICES_TOGETHER {
            let mut sources = std::mem::take(&mut more);
            while !sources.is_empty() && !self.is_to_stop() {
                let batch: Vec<_> = sources.drain(..size.min(sources.len())).collect();
                let begun = Instant::now();
                match alerting::evaluate_together(connection, &batch, self.tick) {
                    Ok(left) => {
                        more.extend(left.more);
                        alone.extend(left.alone);
                    }
                    Err(error) if error.stops_everything() => return Err(error),
                    Err(error) => {
                        // What took too long here may do so with the others too.
                        log::debug!("sources are evaluated one by one: {error}");
                        return Ok([alone, batch, sources, more].concat());
                    }
                }
                size = match begun.elapsed() {
                    took if took < A_MOMENT => (2 * size).min(MANY_TOGETHER),
                    took if took > LONG => (size / 2).max(1),
                    _ => size,
                };
            }
        }
        alone.extend(more);
        Ok(alone)
    }

    fn is_to_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Tells of rules that failed, when that begins and then hourly.
fn tell_of_rules(failures: &[RuleFailure], figures: &mut Figures) {
    figures.errors += failures.len();
    for failure in failures.iter().filter(|failure| failure.tell) {
        log::error!(
            "rule {} cannot judge {}: {}; the other rules go on, and it is tried again at {}",
            visible::line(&failure.rule, MESSAGE_CHARS),
            visible::line(&failure.source, MESSAGE_CHARS),
            visible::line(&failure.message, MESSAGE_CHARS),
            failure.next_try_at.to_rfc3339_opts(SecondsFormat::Secs, true)
        );
    }
}

/// Tells of channels that failed, when that begins and then hourly.
fn tell_of_channels(failures: &[ChannelFailure], figures: &mut Figures) {
    figures.errors += failures.len();
    for failure in failures {
        let ChannelFailure { channel, reason, tell, given_up } = failure;
        if *tell {
            log::error!(
                "channel {channel} does not deliver: {reason}; the messages wait and are tried \
                 again by later runs"
            );
        }
        if *given_up > 0 {
            let messages = if *given_up == 1 { "message" } else { "messages" };
            log::error!(
                "channel {channel}: gave up {given_up} {messages} for good, which the table \
                 notifications keeps (given_up_at)"
            );
        }
    }
}

/// Tells that an evaluation failed; what it did not do is done by the next run.
fn tell(error: StoreError, figures: &mut Figures) -> Result<(), StoreError> {
    if error.stops_everything() {
        return Err(error);
    }
    log::error!("cannot evaluate the rules: {error}; the next run tries again");
    figures.errors += 1;
    Ok(())
}
