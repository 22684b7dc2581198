//! `tripline rules explain`

use std::io::Write;

use chrono::{DateTime, Utc};

use crate::alerting::{self, Explanation, Found};
use crate::cli::Json;
use crate::commands::message;
use crate::commands::session::Session;
use crate::config::{RuleConfig, Window};
use crate::model::Tick;
use crate::report;
use crate::report::explain::{Explained, ExplainedView, ExplainedWindow, MatchingSource};

/// The rule stands in the config: without a database there is only less to say of it.
pub(super) fn run(
    session: &Session,
    rule: &RuleConfig,
    at: DateTime<Utc>,
    tick: Tick,
    output: &Json,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let windows = rule.windows_at(at.into());
    let known = match session.connect_to_what_is_there() {
        Ok(None) => None,
        Ok(Some(mut connection)) => {
            alerting::check_patterns_of(&mut connection, rule)?;
            let host = session.rules_host();
            Some(alerting::explain(&mut connection, host, rule, &windows, tick)?)
        }
        Err(error) => {
            log::warn!("only what the config says: {}", message(&error));
            None
        }
    };
    let explained = explained(rule, at, &windows, known);
    if output.json {
        report::write_json(&explained, stdout)?;
    } else {
        report::explain::write(&explained, stdout)?;
    }
    Ok(())
}

fn explained(
    rule: &RuleConfig,
    at: DateTime<Utc>,
    windows: &[Window],
    known: Option<Explanation>,
) -> Explained {
    let (id, found, views) =
        known.map_or_else(Default::default, |known| (known.id, known.found, known.views));
    let mut found = found.into_iter();
    let windows = windows.iter().map(|window| ExplainedWindow {
        name: window.name.clone(),
        from: window.from.to_utc(),
        to: window.to.to_utc(),
        holds_beginning: window.is_bucket,
        sources: found.next().unwrap_or_default().into_iter().map(matching).collect(),
    });
    Explained {
        name: rule.name.clone(),
        kind: rule.kind.as_str(),
        id,
        looks_for: rule.in_short(),
        meaning: rule.at_length(),
        parameters: rule.parameters(),
        at,
        windows: windows.collect(),
        views: views
            .into_iter()
            .map(|view| ExplainedView { name: view.name, definition: view.definition })
            .collect(),
    }
}

fn matching(found: Found) -> MatchingSource {
    let Found { judged_as, source, host, path, step, matching, of } = found;
    MatchingSource { judged_as, source, host, path, step, matching, of }
}
