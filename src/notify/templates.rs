//! Templates of rules and channels: whether they can be used, as far as can be told without an
//! alert.

use minijinja::Environment;

use crate::config::{ChannelConfig, RuleConfig, Service, Transport};

/// What the summary of a rule may name.
pub(super) const OF_SUMMARIES: [&str; 11] = [
    "count",
    "threshold",
    "within",
    "levels",
    "rule",
    "kind",
    "severity",
    "source",
    "group",
    "runbook",
    "started_at",
];
/// What the templates of a channel may name: the fields of a notification and of a message.
pub(super) const OF_MESSAGES: [&str; 28] = [
    "id",
    "kind",
    "status",
    "alert_id",
    "rule",
    "rule_kind",
    "severity",
    "group",
    "source",
    "path",
    "host",
    "started_at",
    "ended_at",
    "duration_seconds",
    "measured",
    "threshold",
    "within_seconds",
    "summary",
    "runbook",
    "further",
    "samples",
    "line",
    "show",
    "title",
    "text",
    "key",
    "notifications",
    "sent_at",
];

/// A template that does not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// The key of the config.
    pub key: &'static str,
    /// What stands there.
    pub value: String,
    /// What is wrong with it.
    pub message: String,
}

/// What is wrong with the summary of a rule.
pub fn of_rule(rule: &RuleConfig) -> Vec<TemplateProblem> {
    let summary = rule.summary.iter().map(|text| ("summary", text.as_str()));
    problems(summary, &OF_SUMMARIES)
}

/// What is wrong with the templates of a channel.
pub fn of_channel(channel: &ChannelConfig) -> Vec<TemplateProblem> {
    let body = match &channel.transport {
        Transport::Http(http) => match &http.service {
            Service::Webhook { body, .. } => body.as_deref(),
            _ => None,
        },
        _ => None,
    };
    let all =
        [("title", channel.title.as_deref()), ("text", channel.text.as_deref()), ("body", body)];
    problems(all.into_iter().filter_map(|(key, text)| Some((key, text?))), &OF_MESSAGES)
}

fn problems<'a>(
    templates: impl Iterator<Item = (&'static str, &'a str)>,
    known: &[&str],
) -> Vec<TemplateProblem> {
    let problem = |(key, text): (&'static str, &str)| {
        let message = objection(text, known)?;
        Some(TemplateProblem { key, value: text.to_owned(), message })
    };
    templates.filter_map(problem).collect()
}

fn objection(text: &str, known: &[&str]) -> Option<String> {
    let environment = Environment::new();
    let template = match environment.template_from_str(text) {
        Ok(template) => template,
        Err(error) => return Some(error.to_string()),
    };
    let builtin = |name: &str| environment.globals().any(|(global, _)| global == name);
    let mut unknown: Vec<String> = template
        .undeclared_variables(false)
        .into_iter()
        .filter(|name| !known.contains(&name.as_str()) && !builtin(name))
        .collect();
    unknown.sort_unstable();
    let list = known.join(", ");
    (!unknown.is_empty()).then(|| format!("knows no {}; there is {list}", unknown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_or_unknown_is_told() {
        let check = |text| objection(text, &["count", "group"]);
        assert_eq!(check("{{count}} from {{ group|upper }}"), None);
        assert_eq!(check("{% for i in range(3) %}{{ i }}{% endfor %}{% set x = 1 %}{{ x }}"), None);
        assert_eq!(check("{{ cuont }}").unwrap(), "knows no cuont; there is count, group");
        assert!(check("{{ count").unwrap().contains("syntax error"));
    }
}
