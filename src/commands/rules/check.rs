//! `tripline rules check`

use std::io::Write;
use std::slice;

use diesel::pg::PgConnection;

use crate::alerting::{self, RuleProblem};
use crate::cli::Json;
use crate::commands::SomeFailed;
use crate::commands::session::Session;
use crate::config::RuleConfig;
use crate::report::rules::{Checked, CheckedRule, FoundProblem};
use crate::{report, visible};

/// Characters of what is wrong with a rule.
const MESSAGE_CHARS: usize = 2000;

pub(super) fn run(session: &Session, output: &Json, stdout: &mut dyn Write) -> anyhow::Result<()> {
    // That the config can be read, the session has found out.
    for warning in &session.config.warnings {
        log::warn!("{warning}");
    }
    let rules = &session.config.rules;
    // Patterns need no table: whatever schema the database has.
    let mut connection = session.connect_to_any_schema()?;
    let problems = alerting::check(&mut connection, rules)?;
    let checked = rules.iter().zip(problems).map(|(rule, problems)| CheckedRule {
        name: rule.name.clone(),
        passed: problems.is_empty(),
        problems: problems.into_iter().map(found).collect(),
    });
    let checked = Checked { rules: checked.collect() };
    let failed = checked.rules.iter().filter(|rule| !rule.passed).count();
    if output.json {
        report::write_json(&checked, stdout)?;
    } else if failed == 0 {
        let count = rules.len();
        writeln!(stdout, "{count} {}", if count == 1 { "rule is good" } else { "rules are good" })?;
    } else {
        tell(&checked);
    }
    if failed > 0 {
        stdout.flush()?;
        return Err(SomeFailed(failed).into());
    }
    Ok(())
}

fn found(problem: RuleProblem) -> FoundProblem {
    let RuleProblem { key, value, message } = problem;
    FoundProblem { key, value, message }
}

fn tell(checked: &Checked) {
    for rule in &checked.rules {
        for FoundProblem { key, value, message } in &rule.problems {
            tell_of(&rule.name, key, value, message);
        }
    }
}

fn tell_of(rule: &str, key: &str, value: &str, message: &str) {
    let text = format!("rule {rule:?}: {key} '{value}': {message}");
    log::error!("{}", visible::line(&text, MESSAGE_CHARS));
}

/// Refuses a rule that cannot be used, after telling why.
pub(super) fn refuse_unusable(
    connection: &mut PgConnection,
    rule: &RuleConfig,
) -> anyhow::Result<()> {
    let problems: Vec<_> =
        alerting::check(connection, slice::from_ref(rule))?.into_iter().flatten().collect();
    for RuleProblem { key, value, message } in &problems {
        tell_of(&rule.name, key, value, message);
    }
    if problems.is_empty() { Ok(()) } else { Err(SomeFailed(problems.len()).into()) }
}
