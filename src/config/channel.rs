//! Where notifications go, and which ones.

use std::time::Duration;

use chrono::TimeDelta;
use glob::Pattern;

use super::email::EmailConfig;
use super::endpoint::{HttpConfig, Service};
use super::secret::Secret;
use super::syslog::SyslogConfig;
use crate::model::{Severity, WeeklyHours};

/// `[[channel]]`: one place where people, or their programs, are told.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelConfig {
    /// The channel's name, unique within the config.
    pub name: String,
    /// How a message gets there.
    pub transport: Transport,
    /// The severities that it takes; `None`: all.
    pub severities: Option<Vec<Severity>>,
    /// When it delivers, by the wall clock; none: always. What comes at other times waits.
    pub active: Vec<WeeklyHours>,
    /// Whether it tells of the end of what it has told.
    pub resolved: bool,
    /// Whether it reminds.
    pub reminders: bool,
    /// When it delivers all that it has in one message; `None`: each by itself, at once.
    pub digest: Option<Digest>,
    /// The channel that is used as well when this one has failed for so long.
    pub fallback: Option<Fallback>,
    /// How old a message gets before it is given up.
    pub give_up_after: TimeDelta,
    /// How long one attempt may take in all.
    pub timeout: Duration,
    /// A template for the headline; `None`: the default.
    pub title: Option<String>,
    /// A template for the text; `None`: the default.
    pub text: Option<String>,
    /// Variables of the environment in which the config has secrets, of whichever channel: a
    /// program that is called does not get them.
    pub withheld: Vec<String>,
}

impl ChannelConfig {
    /// Whether what fires is sent again in each run, since the other side takes for over what it
    /// does not hear of.
    pub fn is_refreshed(&self) -> bool {
        let Transport::Http(HttpConfig { service, .. }) = &self.transport else { return false };
        matches!(service, Service::Alertmanager { .. })
    }

    /// Whether the other side keeps an incident for each alert and each storm, which can be taken
    /// on and stays open until it is resolved.
    pub fn knows_incidents(&self) -> bool {
        let Transport::Http(HttpConfig { service, .. }) = &self.transport else { return false };
        matches!(service, Service::Pagerduty { .. })
    }

    /// The keys of secrets that stand in the config itself.
    pub(super) fn exposed(&self) -> Vec<&'static str> {
        match &self.transport {
            Transport::Http(http) => http.exposed(),
            Transport::Email(email) => email.exposed(),
            _ => Vec::new(),
        }
    }

    /// All that it keeps secret but headers.
    pub(super) fn secrets(&self) -> Vec<&Secret> {
        match &self.transport {
            Transport::Http(http) => http.secrets(),
            Transport::Email(email) => email.password().into_iter().collect(),
            Transport::Stdout | Transport::Command(_) | Transport::Syslog(_) => Vec::new(),
        }
    }
}

/// Another channel for what one could not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// Its name.
    pub channel: String,
    /// How long a message waits for the first channel alone.
    pub after: TimeDelta,
}

/// When messages that were gathered are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Digest {
    /// At each multiple of this length of time, counted from midnight UTC.
    Every(TimeDelta),
    /// At the beginning of these hours.
    At(WeeklyHours),
}

/// How a message gets to its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Transport {
    /// A line on standard output, which cron mails.
    Stdout,
    /// A program with its arguments, without a shell; it gets the notification as JSON on
    /// standard input.
    Command(Vec<String>),
    /// A request to a program on the web.
    Http(HttpConfig),
    /// A mail.
    Email(Box<EmailConfig>),
    /// The system's log.
    Syslog(SyslogConfig),
}

impl Transport {
    /// The name of the type.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Command(_) => "command",
            Self::Http(http) => http.service.as_str(),
            Self::Email(_) => "email",
            Self::Syslog(_) => "syslog",
        }
    }

    /// Where it leads, for people; without secrets.
    pub fn place(&self) -> String {
        match self {
            Self::Stdout => "standard output".to_owned(),
            // Its arguments may hold a secret.
            Self::Command(words) => words.first().cloned().unwrap_or_default(),
            Self::Http(http) => http.endpoint.place(),
            Self::Email(email) => {
                let to: Vec<&str> = email.to.iter().map(|one| one.email.as_ref()).collect();
                to.join(", ")
            }
            Self::Syslog(syslog) => syslog.socket.display().to_string(),
        }
    }
}

/// `[[route]]`: which alerts go where. Of what is empty, any matches.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteConfig {
    /// Globs of the names of rules.
    pub rules: Vec<Pattern>,
    /// Severities.
    pub severities: Vec<Severity>,
    /// Globs of the names or paths of sources.
    pub sources: Vec<Pattern>,
    /// Globs of groups.
    pub groups: Vec<Pattern>,
    /// Where they go; none: nowhere.
    pub channels: Vec<String>,
    /// Whether the routes that follow are looked at too.
    pub goes_on: bool,
}

/// `[delivery]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryConfig {
    /// How long one run may deliver; the rest is left to the next one.
    pub budget: Duration,
    /// How many alerts of one rule are told one by one in a run.
    pub storm_cap: u32,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self { budget: Duration::from_secs(30), storm_cap: 20 }
    }
}
