//! `tripline rules backtest`

use std::io::Write;

use anyhow::anyhow;

use super::check::refuse_unusable;
use super::values::trials;
use crate::alerting::{self, Backtest, Span, WouldBe};
use crate::cli;
use crate::commands::entries::moment;
use crate::commands::session::{Session, UsageError};
use crate::config::{RuleConfig, SourceConfig};
use crate::model::{Level, LevelSet, Tick};
use crate::report;
use crate::report::backtest::{Backtested, TriedAlert, TriedValue};
use crate::store::StoreError;

pub(super) fn run(
    session: &Session,
    rule: &RuleConfig,
    arguments: &cli::Backtest,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let span = Span {
        from: moment("--from", arguments.from.as_deref(), tick)?,
        to: moment("--to", arguments.to.as_deref(), tick)?,
    };
    if span.from.zip(span.to).is_some_and(|(from, to)| from > to) {
        return Err(UsageError("--from must not be later than --to".to_owned()).into());
    }
    let trials = trials(rule, arguments)?;
    let (values, rules): (Vec<_>, Vec<_>) = trials.rules.into_iter().unzip();
    let found = match session.connect_to_what_is_there()? {
        None => None,
        Some(mut connection) => {
            refuse_unusable(&mut connection, rule)?;
            let host = session.rules_host();
            let found = alerting::backtest(&mut connection, host, &rules, span, tick);
            Some(found.map_err(with_advice)?)
        }
    };
    let (seen, looked_at, alerts) = match found {
        Some(Backtest { seen, looked_at, alerts }) => (Some(seen), looked_at, alerts),
        None => (None, None, Vec::new()),
    };
    let until = looked_at.map_or(tick.0, |(_, to)| to);
    let mut alerts = alerts.into_iter();
    let tried = values.into_iter().map(|value| TriedValue {
        value,
        alerts: alerts
            .next()
            .unwrap_or_default()
            .into_iter()
            .map(|one| tried(one, until))
            .collect(),
    });
    let backtested = Backtested {
        rule: rule.name.clone(),
        kind: rule.kind.as_str(),
        looks_for: rule.in_short(),
        key: trials.key.map(|(key, _)| key.as_str()),
        configured: trials.key.map(|(_, value)| value),
        looked_at,
        first_entry_at: seen.and_then(|seen| seen.first_entry_at),
        last_entry_at: seen.and_then(|seen| seen.last_entry_at),
        first_line_at: seen.and_then(|seen| seen.first_line_at),
        last_line_at: seen.and_then(|seen| seen.last_line_at),
        reads_counts: rule.reads_only_counts(),
        stored_levels: stored(&session.config.sources).iter().map(Level::as_str).collect(),
        values: tried.collect(),
    };
    if arguments.output.json {
        report::backtest::write_json(&backtested, stdout)?;
    } else {
        report::backtest::write(&backtested, stdout)?;
    }
    Ok(())
}

fn tried(alert: WouldBe, until: chrono::DateTime<chrono::Utc>) -> TriedAlert {
    TriedAlert {
        lasted_seconds: alert.lasted(until).num_seconds(),
        source_id: alert.source.0,
        group: alert.group,
        started_at: alert.started_at,
        ended_at: alert.ended_at,
        measured: alert.measured,
    }
}

/// The levels that sources store now.
fn stored(sources: &[SourceConfig]) -> LevelSet {
    let default = SourceConfig::for_path("".as_ref());
    let sources = if sources.is_empty() { std::slice::from_ref(&default) } else { sources };
    sources.iter().flat_map(|source| source.store.iter()).collect()
}

/// A statement may take two minutes.
fn with_advice(error: StoreError) -> anyhow::Error {
    if error.to_string().contains("statement timeout") {
        anyhow!(
            "{error}; there is too much for one look at it: give a shorter time by --from and --to"
        )
    } else {
        error.into()
    }
}
