//! Which channels are told of an alert, why, and not before when.
//!
//! Pure. The channels of the rule come first, then the routes, then all channels: what the config
//! says nothing about is told to everybody rather than to nobody.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::life::Message;
use crate::config::{ChannelConfig, Config, Digest, RouteConfig};
use crate::model::{STDOUT, Subject, Tick};
use crate::store::alerts::Listeners;

/// A channel that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) channel: String,
    /// Why it is told, for people.
    pub(super) why: String,
    /// When it may deliver: its hours and its digest say.
    pub(super) not_before: DateTime<Utc>,
}

/// The channels for a message about an alert, of which those in `told` know that it fires.
pub(super) fn channels(
    config: &Config,
    alert: &Subject<'_>,
    message: Message,
    told: &[&str],
    now: DateTime<Utc>,
) -> Vec<Chosen> {
    if config.channels.is_empty() {
        let why = "no channel is configured".to_owned();
        return vec![Chosen { channel: STDOUT.to_owned(), why, not_before: now }];
    }
    let knows = |channel: &&ChannelConfig| told.contains(&channel.name.as_str());
    let knowing: Vec<&ChannelConfig> = config.channels.iter().filter(knows).collect();
    if matches!(message, Message::Reminder | Message::Resolved) && !knowing.is_empty() {
        let wants = |channel: &&ChannelConfig| match message {
            Message::Reminder => channel.reminders,
            _ => channel.resolved,
        };
        let why = || "it was told when the alert fired".to_owned();
        return knowing.into_iter().filter(wants).map(|one| chosen(one, why(), now)).collect();
    }
    let named = named(config, alert);
    let found = named.iter().filter_map(|(name, why)| {
        let channel = config.channels.iter().find(|channel| channel.name == *name)?;
        Some((channel, why.clone()))
    });
    let takes = |channel: &ChannelConfig| {
        let severities = channel.severities.as_ref();
        severities.is_none_or(|all| all.iter().any(|one| one.as_str() == alert.severity))
    };
    found
        .filter(|(channel, _)| takes(channel))
        .map(|(channel, why)| chosen(channel, why, now))
        .collect()
}

/// The names of the channels, each once, with the reason.
fn named<'a>(config: &'a Config, alert: &Subject<'_>) -> Vec<(&'a str, String)> {
    let rule = config.rules.iter().find(|rule| rule.name == alert.rule);
    if let Some(channels) = rule.and_then(|rule| rule.channels.as_ref()) {
        let why = "the rule names it".to_owned();
        return channels.iter().map(|name| (name.as_str(), why.clone())).collect();
    }
    let mut named: Vec<(&str, String)> = Vec::new();
    let mut is_routed = false;
    for (number, route) in config.routes.iter().enumerate() {
        if !matches(route, alert) {
            continue;
        }
        is_routed = true;
        for name in &route.channels {
            if named.iter().all(|(known, _)| known != name) {
                named.push((name, format!("route {} names it", number + 1)));
            }
        }
        if !route.goes_on {
            break;
        }
    }
    if is_routed {
        return named;
    }
    let why = if config.routes.is_empty() { "there are no routes" } else { "no route matches" };
    config.channels.iter().map(|channel| (channel.name.as_str(), why.to_owned())).collect()
}

fn matches(route: &RouteConfig, alert: &Subject<'_>) -> bool {
    let any = |globs: &[glob::Pattern], texts: &[&str]| {
        globs.is_empty() || globs.iter().any(|glob| texts.iter().any(|text| glob.matches(text)))
    };
    any(&route.rules, &[alert.rule])
        && any(&route.sources, &[alert.source, alert.path])
        && any(&route.groups, &[alert.group])
        && (route.severities.is_empty()
            || route.severities.iter().any(|one| one.as_str() == alert.severity))
}

/// What the config says of the channels that are told what somebody does with an alert by hand,
/// and that a storm is over.
pub fn listeners(config: &Config, tick: Tick) -> Listeners<'_> {
    let mut listeners = Listeners::default();
    for channel in &config.channels {
        let name = channel.name.as_str();
        if !channel.resolved {
            listeners.not_of_ends.push(name);
        }
        if channel.knows_incidents() {
            listeners.of_acks.push(name);
        }
        if channel.knows_incidents() && channel.resolved {
            listeners.of_ends_of_storms.push(name);
        }
        let not_before = not_before(channel, tick.0);
        if not_before > tick.0 {
            listeners.later.push((name, not_before));
        }
    }
    listeners
}

fn chosen(channel: &ChannelConfig, why: String, now: DateTime<Utc>) -> Chosen {
    Chosen { channel: channel.name.clone(), why, not_before: not_before(channel, now) }
}

/// The first moment, from now on, at which a channel delivers.
fn not_before(channel: &ChannelConfig, now: DateTime<Utc>) -> DateTime<Utc> {
    let gathered = match &channel.digest {
        None => Some(now),
        Some(Digest::Every(length)) => next_multiple(now, *length),
        Some(Digest::At(hours)) => hours.next(now),
    };
    let gathered = gathered.unwrap_or(now);
    let in_hours = channel.active.iter().filter_map(|hours| hours.next(gathered)).min();
    in_hours.unwrap_or(gathered)
}

/// The first multiple of a length of time that is not before `now`.
fn next_multiple(now: DateTime<Utc>, length: TimeDelta) -> Option<DateTime<Utc>> {
    let floor = now.duration_trunc(length).ok()?;
    if floor == now { Some(now) } else { floor.checked_add_signed(length) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const CHANNELS: &str = "
        [[channel]]
        name = 'pager'
        type = 'stdout'
        severities = ['critical']
        [[channel]]
        name = 'mail'
        type = 'stdout'
        resolved = false
        [[channel]]
        name = 'chat'
        type = 'stdout'
        reminders = false
        [[rule]]
        name = 'own'
        kind = 'threshold'
        count = 1
        within = '5m'
        channels = ['chat', 'pager']
        [[rule]]
        name = 'db-slow'
        kind = 'threshold'
        count = 1
        within = '5m'
    ";
    const ROUTES: &str = "
        [[route]]
        rules = ['db-*']
        severities = ['critical']
        channels = ['pager']
        continue = true
        [[route]]
        rules = 'db-*'
        channels = ['chat', 'pager']
        [[route]]
        sources = '/var/log/*'
        groups = ['10.*']
        channels = []
    ";

    fn config(text: &str) -> Config {
        Config::parse(Path::new("/tripline.toml"), text.as_bytes()).unwrap()
    }

    fn now() -> DateTime<Utc> {
        "2026-01-05T07:20:00Z".parse().unwrap()
    }

    fn told(config: &str, rule: &str, severity: &str, group: &str) -> Vec<String> {
        let subject = Subject { rule, severity, group, source: "app", path: "/var/log/app.log" };
        let config = self::config(config);
        let chosen = channels(&config, &subject, Message::Fired, &[], now());
        chosen.into_iter().map(|one| format!("{}: {}", one.channel, one.why)).collect()
    }

    #[test]
    fn without_a_channel_it_is_standard_output() {
        assert_eq!(told("", "fatal", "critical", ""), ["stdout: no channel is configured"]);
    }

    #[test]
    fn without_a_route_all_are_told_that_take_the_severity() {
        let why = ": there are no routes";
        let all = ["pager", "mail", "chat"].map(|name| format!("{name}{why}"));
        assert_eq!(told(CHANNELS, "db-slow", "critical", ""), all);
        assert_eq!(told(CHANNELS, "db-slow", "warning", ""), all[1..]);
    }

    #[test]
    fn the_channels_of_a_rule_go_before_the_routes() {
        let all = [CHANNELS, ROUTES].concat();
        let why = ": the rule names it";
        assert_eq!(
            told(&all, "own", "critical", ""),
            [format!("chat{why}"), format!("pager{why}")]
        );
        assert_eq!(told(&all, "own", "info", ""), [format!("chat{why}")]);
    }

    #[test]
    fn the_first_route_that_matches_says_where_unless_it_lets_others_say() {
        let all = [CHANNELS, ROUTES].concat();
        assert_eq!(
            told(&all, "db-slow", "critical", ""),
            ["pager: route 1 names it", "chat: route 2 names it"]
        );
        assert_eq!(told(&all, "db-slow", "warning", ""), ["chat: route 2 names it"]);
        assert!(told(&all, "other", "critical", "10.0.0.7").is_empty());
        let lost = told(&all, "other", "critical", "192.0.2.7");
        assert_eq!(lost.len(), 3);
        assert_eq!(lost[0], "pager: no route matches");
    }

    #[test]
    fn the_end_and_reminders_go_to_whom_was_told() {
        let config = config(CHANNELS);
        let subject =
            Subject { rule: "own", severity: "critical", group: "", source: "app", path: "/a" };
        let names = |message, told: &[&str]| {
            let chosen = channels(&config, &subject, message, told, now());
            chosen.into_iter().map(|one| one.channel).collect::<Vec<_>>()
        };
        assert_eq!(names(Message::Resolved, &["mail", "pager", "gone"]), ["pager"]);
        assert_eq!(names(Message::Reminder, &["mail", "chat"]), ["mail"]);
        // Nobody was told, or only channels that have left the config.
        assert_eq!(names(Message::Resolved, &[]), ["chat", "pager"]);
        assert_eq!(names(Message::Resolved, &["gone"]), ["chat", "pager"]);
    }

    #[test]
    fn hours_and_digests_make_messages_wait() {
        let not_before = |keys: &str| {
            let text = format!("[[channel]]\nname = 'mail'\ntype = 'stdout'\n{keys}");
            not_before(&config(&text).channels[0], now()).to_rfc3339()
        };
        assert_eq!(not_before(""), "2026-01-05T07:20:00+00:00");
        assert_eq!(not_before("every = '1h'"), "2026-01-05T08:00:00+00:00");
        assert_eq!(not_before("every = '20m'"), "2026-01-05T07:20:00+00:00");
        assert_eq!(not_before("at = '08:00 Europe/Berlin'"), "2026-01-06T07:00:00+00:00");
        assert_eq!(not_before("active = '22:00-06:00'"), "2026-01-05T22:00:00+00:00");
        assert_eq!(
            not_before("active = ['mon 22:00-06:00', 'mon 12:00-13:00']\nevery = '1h'"),
            "2026-01-05T12:00:00+00:00"
        );
    }
}
