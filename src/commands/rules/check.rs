//! `tripline rules check`

use std::io::Write;
use std::slice;

use diesel::pg::PgConnection;

use crate::alerting::{self, RuleProblem};
use crate::cli::Json;
use crate::commands::SomeFailed;
use crate::commands::session::Session;
use crate::config::RuleConfig;
use crate::notify::templates::{self, TemplateProblem};
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
    let checked = rules.iter().zip(problems).map(|(rule, problems)| {
        let templates = templates::of_rule(rule).into_iter().map(found_in_template);
        checked(&rule.name, problems.into_iter().map(found).chain(templates).collect())
    });
    let channels = session.config.channels.iter().map(|channel| {
        let templates = templates::of_channel(channel).into_iter().map(found_in_template);
        self::checked(&channel.name, templates.collect())
    });
    let checked = Checked { rules: checked.collect(), channels: channels.collect() };
    let all = checked.rules.iter().chain(&checked.channels);
    let failed = all.filter(|one| !one.passed).count();
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

fn checked(name: &str, problems: Vec<FoundProblem>) -> CheckedRule {
    CheckedRule { name: name.to_owned(), passed: problems.is_empty(), problems }
}

fn found_in_template(problem: TemplateProblem) -> FoundProblem {
    let TemplateProblem { key, value, message } = problem;
    FoundProblem { key, value, message }
}

fn found(problem: RuleProblem) -> FoundProblem {
    let RuleProblem { key, value, message } = problem;
    FoundProblem { key, value, message }
}

fn tell(checked: &Checked) {
    for (what, all) in [("rule", &checked.rules), ("channel", &checked.channels)] {
        for one in all {
            for FoundProblem { key, value, message } in &one.problems {
                tell_of(what, &one.name, key, value, message);
            }
        }
    }
}

fn tell_of(what: &str, name: &str, key: &str, value: &str, message: &str) {
    let text = format!("{what} {name:?}: {key} '{value}': {message}");
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
        tell_of("rule", &rule.name, key, value, message);
    }
    if problems.is_empty() { Ok(()) } else { Err(SomeFailed(problems.len()).into()) }
}
