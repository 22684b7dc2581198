//! `tripline rules list`

use std::collections::BTreeMap;
use std::io::Write;

use crate::cli::Json;
use crate::commands::message;
use crate::commands::session::Session;
use crate::config::RuleConfig;
use crate::report;
use crate::report::rules::{ListedRule, Standing};
use crate::store::transaction::{Patience, transaction};

/// The rules stand in the config: without a database there is only less to say of them.
pub(super) fn run(session: &Session, output: &Json, stdout: &mut dyn Write) -> anyhow::Result<()> {
    let standings = standings(session).unwrap_or_else(|error| {
        log::warn!("only what the config says: {}", message(&error));
        BTreeMap::new()
    });
    let rules: Vec<ListedRule> =
        session.config.rules.iter().map(|rule| listed(rule, &standings)).collect();
    if output.json {
        report::write_json(&rules, stdout)?;
    } else {
        report::rules::write_table(&rules, stdout)?;
    }
    Ok(())
}

fn standings(session: &Session) -> anyhow::Result<BTreeMap<String, Standing>> {
    let Some(mut connection) = session.connect_to_what_is_there()? else {
        return Ok(BTreeMap::new());
    };
    Ok(transaction(&mut connection, Patience::Long, |connection| {
        report::rules::standings(connection, session.rules_host())
    })?)
}

fn listed(rule: &RuleConfig, standings: &BTreeMap<String, Standing>) -> ListedRule {
    ListedRule {
        name: rule.name.clone(),
        kind: rule.kind.as_str(),
        looks_for: rule.in_short(),
        group_by: rule.group_by.iter().map(ToString::to_string).collect(),
        severity: rule.severity.as_str(),
        standing: standings.get(&rule.name).cloned(),
    }
}
