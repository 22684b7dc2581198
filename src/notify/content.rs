//! What a channel is given: the notifications as data, with a headline and a text for people.
//!
//! The texts are plain: whoever puts them into HTML, JSON or a header escapes them for that. No
//! control character is left in them but the line feeds between the lines.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use minijinja::Environment;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::message;
use super::outbox::{Due, Sample};
use crate::model::Tick;
use crate::{duration, visible};

/// Characters of a headline.
const TITLE_CHARS: usize = 200;
/// Characters of one line of a text.
const LINE_CHARS: usize = 500;
/// Characters of what a template gives.
const TEMPLATE_CHARS: usize = 20_000;

/// One notification as programs get it. Fields may be added, never renamed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Notification {
    /// Its number, the same for every attempt: who has seen it already has got it twice.
    pub(super) id: i64,
    /// `fired`, `reminder`, `resolved`, `storm` or `test`; for those who know incidents also
    /// `acknowledged` and `storm_over`.
    pub(super) kind: String,
    /// `firing` or `resolved`.
    pub(super) status: &'static str,
    /// Number of the alert.
    pub(super) alert_id: i64,
    pub(super) rule: String,
    pub(super) rule_kind: String,
    pub(super) severity: String,
    /// What the rule groups by besides the source; empty: nothing.
    pub(super) group: String,
    pub(super) source: String,
    pub(super) path: String,
    /// The host that delivers.
    pub(super) host: String,
    pub(super) started_at: DateTime<Utc>,
    /// `None` while it fires.
    pub(super) ended_at: Option<DateTime<Utc>>,
    /// `None` while it fires.
    pub(super) duration_seconds: Option<i64>,
    pub(super) measured: f64,
    pub(super) threshold: f64,
    pub(super) within_seconds: i64,
    /// The rule's own summary, or what was measured.
    pub(super) summary: String,
    pub(super) runbook: Option<String>,
    /// How many alerts of a storm there are besides.
    pub(super) further: i32,
    /// Entries that the alert is about, the newest first.
    pub(super) samples: Vec<Sample>,
    /// All of it on one line.
    pub(super) line: String,
    /// The command that shows more.
    pub(super) show: String,
    /// In the zone of the log, for people.
    #[serde(skip)]
    pub(super) since: String,
    #[serde(skip)]
    pub(super) place: String,
    /// The host whose logs it is about; `None`: those of all hosts.
    #[serde(skip)]
    pub(super) about_host: Option<String>,
    /// Whether it is about all sources together.
    #[serde(skip)]
    pub(super) is_across: bool,
    #[serde(skip)]
    pub(super) is_again: bool,
    #[serde(skip)]
    pub(super) is_withdrawn: bool,
    /// Which time the alert fires.
    #[serde(skip)]
    pub(super) number: i32,
    /// Stands for the source and the database: numbers of notifications and alerts are unique
    /// only within these.
    #[serde(skip)]
    pub(super) origin: String,
}

/// What one attempt sends: one notification, or many of a digest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Message {
    /// The same for every attempt.
    pub(super) key: String,
    /// One line.
    pub(super) title: String,
    /// Many lines.
    pub(super) text: String,
    /// At least one.
    pub(super) notifications: Vec<Notification>,
    /// When it is sent.
    #[serde(skip)]
    pub(super) sent_at: DateTime<Utc>,
    /// Whether the headline is that of a template of the user's.
    #[serde(skip)]
    pub(super) is_own_title: bool,
    /// Whether the text is.
    #[serde(skip)]
    pub(super) is_own_text: bool,
}

/// Templates of a channel for what people read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Templates<'a> {
    pub(super) title: Option<&'a str>,
    pub(super) text: Option<&'a str>,
}

impl Notification {
    pub(super) fn new(due: &Due, samples: Vec<Sample>) -> Self {
        let is_over = matches!(due.kind.as_str(), "resolved" | "storm_over");
        let ended_at = due.ended_at.filter(|_| due.kind == "resolved");
        Self {
            id: due.id,
            kind: due.kind.clone(),
            status: if is_over { "resolved" } else { "firing" },
            alert_id: due.alert_id,
            rule: due.rule.clone(),
            rule_kind: due.rule_kind.clone(),
            severity: due.severity.clone(),
            group: due.group.clone(),
            source: due.source.clone(),
            path: due.path.clone(),
            host: due.host.clone(),
            about_host: due.about_host.clone(),
            is_across: due.is_across,
            started_at: due.started_at,
            ended_at,
            duration_seconds: ended_at.map(|ended_at| (ended_at - due.started_at).num_seconds()),
            measured: due.measured,
            threshold: due.threshold,
            within_seconds: due.within_seconds,
            summary: message::summary(due),
            runbook: due.runbook.clone(),
            further: due.further,
            samples,
            line: message::line(due),
            show: if matches!(due.kind.as_str(), "storm" | "storm_over") {
                "tripline alerts --all".to_owned()
            } else {
                format!("tripline alerts show {}", due.alert_id)
            },
            since: message::local(due.started_at, &due.timezone),
            place: message::place(due),
            is_again: due.number > 1 && due.kind != "reminder",
            is_withdrawn: due.is_withdrawn,
            number: due.number,
            origin: origin(due),
        }
    }

    /// `FIRED critical error-burst on app: 6 ERROR within 5m (threshold 5)`
    pub(super) fn title(&self) -> String {
        let again = if self.is_again { " again" } else { "" };
        let rule = visible::line(&self.rule, TITLE_CHARS);
        let head = format!(
            "{}{again} {} {rule} on {}",
            self.kind.replace('_', " ").to_uppercase(),
            self.severity,
            self.place
        );
        let title = match self.duration() {
            _ if self.kind == "storm" => format!("{head}: {} more alerts", self.further),
            _ if self.kind == "storm_over" => head,
            _ if self.is_withdrawn => format!("{head}: withdrawn"),
            Some(duration) => format!("{head} after {duration}"),
            None => format!("{head}: {}", self.summary),
        };
        visible::line(&title, TITLE_CHARS)
    }

    /// How long it lasted, where it is over and was more than a moment.
    pub(super) fn duration(&self) -> Option<String> {
        let seconds = self.duration_seconds.filter(|seconds| *seconds > 0)?;
        Some(duration::display(TimeDelta::seconds(seconds)))
    }

    /// What, how many and since when, where to look.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // A `String` takes everything.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "{}", self.what())?;
        for (label, fact) in self.facts() {
            writeln!(text, "{label}: {fact}")?;
        }
        if !self.samples.is_empty() {
            writeln!(text, "\nThe newest entries:")?;
        }
        for sample in &self.samples {
            writeln!(text, "{} {} {}", sample.at(), sample.level, sample.first_line())?;
        }
        Ok(())
    }

    /// Whether it is about many alerts of a rule.
    pub(super) fn is_storm(&self) -> bool {
        matches!(self.kind.as_str(), "storm" | "storm_over")
    }

    /// What has happened, and how much of it.
    pub(super) fn what(&self) -> String {
        if self.kind == "storm_over" {
            return "All alerts of this rule are over that were not told one by one.".to_owned();
        }
        if self.kind == "storm" {
            let further = self.further;
            return format!("{further} more alerts of this rule fire and are not told one by one.");
        }
        self.summary.clone()
    }

    /// Where it says what to do, if that is on the web.
    pub(super) fn runbook_url(&self) -> Option<&str> {
        let runbook = self.runbook.as_deref()?;
        ["https://", "http://"].iter().any(|scheme| runbook.starts_with(scheme)).then_some(runbook)
    }

    /// What else there is to say, each with what it is: since when, where to look.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let short = |text: &str| visible::line(text, LINE_CHARS);
        let mut facts = vec![
            ("rule", format!("{} ({})", short(&self.rule), self.rule_kind)),
            (
                "where",
                match &self.about_host {
                    Some(host) => format!("{}, read on {}", self.place, short(host)),
                    None => format!("{} of all hosts", self.place),
                },
            ),
            ("since", self.since.clone()),
        ];
        if self.is_withdrawn {
            facts.push(("withdrawn", "what came later says that it did not hold".to_owned()));
        } else if let Some(duration) = self.duration() {
            facts.push(("lasted", duration));
        }
        facts.extend(self.runbook.as_deref().map(|runbook| ("what to do", short(runbook))));
        facts.push(("more", self.show.clone()));
        facts
    }
}

impl Sample {
    /// When it was logged, in the zone of the log.
    pub(super) fn at(&self) -> String {
        message::local(self.logged_at, &self.timezone)
    }

    /// Its first line, fit to be shown.
    pub(super) fn first_line(&self) -> String {
        visible::line(self.message.lines().next().unwrap_or_default(), LINE_CHARS)
    }
}

fn origin(due: &Due) -> String {
    let seed = format!("{}\0{}", due.path, due.first_seen_at.timestamp_micros());
    format!("{:016x}", xxh3_64(seed.as_bytes()))
}

impl Message {
    /// A message about at least one notification.
    pub(super) fn new(
        notifications: Vec<Notification>,
        templates: Templates<'_>,
        tick: Tick,
    ) -> Self {
        let key = match &notifications[..] {
            [only] => format!("tripline-{}", only.id),
            many => {
                let ids = many.iter().map(|one| one.id);
                let (first, last) = (ids.clone().min(), ids.max());
                format!("tripline-{}-{}", first.unwrap_or_default(), last.unwrap_or_default())
            }
        };
        let mut message = Self {
            key,
            title: title(&notifications),
            text: text(&notifications),
            notifications,
            sent_at: tick.0,
            is_own_title: false,
            is_own_text: false,
        };
        // One after the other, so that the template for the text may use the headline.
        if let Some(title) = templates.title.and_then(|template| message.render(template)) {
            message.title = visible::line(title.trim(), TITLE_CHARS);
            message.is_own_title = true;
        }
        if let Some(text) = templates.text.and_then(|template| message.render(template)) {
            message.text = lines(&text);
            message.is_own_text = true;
        }
        message
    }

    /// What a template makes of it; `None`, and a warning, where it is broken.
    pub(super) fn render(&self, template: &str) -> Option<String> {
        self.render_with(Environment::new(), template)
    }

    /// The same with other rules of how values are written.
    pub(super) fn render_with(
        &self,
        environment: Environment<'_>,
        template: &str,
    ) -> Option<String> {
        match self.try_render(environment, template) {
            Ok(text) => Some(text),
            Err(error) => {
                log::warn!(
                    "a template of a channel cannot be rendered, so the default is sent: {error}"
                );
                None
            }
        }
    }

    fn try_render(
        &self,
        mut environment: Environment<'_>,
        template: &str,
    ) -> Result<String, minijinja::Error> {
        #[derive(Serialize)]
        struct Context<'a> {
            #[serde(flatten)]
            first: Option<&'a Notification>,
            title: &'a str,
            text: &'a str,
            key: &'a str,
            notifications: &'a [Notification],
        }
        let context = Context {
            first: self.notifications.first(),
            title: &self.title,
            text: &self.text,
            key: &self.key,
            notifications: &self.notifications,
        };
        // A template that never ends ends here.
        environment.set_fuel(Some(message::FUEL));
        environment.render_str(template, minijinja::value::Serde(context))
    }
}

fn title(notifications: &[Notification]) -> String {
    if let [only] = notifications {
        return only.title();
    }
    let count = |status| notifications.iter().filter(|one| one.status == status).count();
    format!(
        "{} notifications: {} firing, {} resolved",
        notifications.len(),
        count("firing"),
        count("resolved")
    )
}

fn text(notifications: &[Notification]) -> String {
    if let [only] = notifications {
        return only.text();
    }
    let each = notifications.iter().map(|one| [one.title(), one.text()].join("\n"));
    each.collect::<Vec<_>>().join("\n")
}

/// Several lines, each fit to be shown.
fn lines(text: &str) -> String {
    let mut shown = String::new();
    for line in text.lines() {
        shown.push_str(&visible::line(line, LINE_CHARS));
        shown.push('\n');
        if shown.len() > TEMPLATE_CHARS {
            break;
        }
    }
    shown
}
