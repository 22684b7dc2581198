//! `[[channel]]` and `[[route]]`: from their tables to a [`ChannelConfig`] and a [`RouteConfig`].
//!
//! Which keys a channel needs and may have depends on its type; one that its type does not look
//! at is refused, since who wrote it meant something by it.

use std::collections::{BTreeSet, HashSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::TimeDelta;
use glob::Pattern;

use super::channel::{ChannelConfig, DeliveryConfig, Digest, Fallback, RouteConfig, Transport};
use super::heartbeat::HeartbeatConfig;
use super::secret::Secret;
use super::section::Section;
use super::{email, endpoint, syslog, tls, validate, value};
use crate::model::Severity;

/// The types of a channel, each with the keys that it needs and those that it may have besides
/// the common ones. Those on the web are in [`endpoint::TYPES`].
const TYPES: [(&str, &[&str], &[&str]); 4] = [
    ("stdout", &[], &[]),
    ("command", &["command"], &[]),
    ("email", &email::REQUIRED, &email::OPTIONAL),
    ("syslog", &[], &syslog::KEYS),
];
/// Seconds that one attempt may take.
const TIMEOUT_SECONDS: RangeInclusive<i64> = 1..=300;
const STORM_CAPS: RangeInclusive<u32> = 1..=10_000;

/// `None` if anything about the channel is wrong, which has been reported then.
pub(super) fn channel(
    mut section: Section<'_, '_>,
    names: &mut HashSet<String>,
) -> Option<ChannelConfig> {
    section.require(&["name", "type"]);
    let name = section.string("name", value::name);
    validate::refuse_second(&mut section, name.as_ref(), names);
    let of_http = endpoint::TYPES.iter().map(|(name, _)| *name);
    let types: Vec<&str> = TYPES.iter().map(|(name, ..)| *name).chain(of_http).collect();
    let kind = section.string("type", |text| value::choice(text, &types, |name| name, &[]));
    let transport = kind.and_then(|kind| {
        check_keys(&mut section, kind);
        transport(&mut section, kind)
    });
    let fallback = section.string("fallback", value::name);
    let after = section.string("fallback_after", value::window);
    if section.has("fallback_after") && !section.has("fallback") {
        section.refuse("fallback_after", "means nothing without fallback");
    }
    let channel = ChannelConfig {
        severities: severities(&mut section),
        active: section.string_or_strings("active", value::hours).unwrap_or_default(),
        resolved: section.boolean("resolved").unwrap_or(true),
        reminders: section.boolean("reminders").unwrap_or(true),
        digest: digest(&mut section),
        fallback: fallback
            .map(|channel| Fallback { channel, after: after.unwrap_or(TimeDelta::minutes(10)) }),
        give_up_after: section
            .string("give_up_after", value::window)
            .unwrap_or(TimeDelta::hours(24)),
        timeout: section.string("timeout", timeout).unwrap_or(Duration::from_secs(10)),
        title: section.string("title", value::text),
        text: section.string("text", value::text),
        // Known when all of the config is.
        withheld: Vec::new(),
        name: name?,
        transport: transport?,
    };
    if let Some(fallback) = &channel.fallback
        && fallback.after >= channel.give_up_after
    {
        section.refuse("fallback_after", "must be shorter than give_up_after");
    }
    section.is_right().then_some(channel)
}

fn check_keys(section: &mut Section<'_, '_>, kind: &str) {
    let (required, optional) = keys(kind);
    section.require(required);
    let of_types = TYPES.iter().flat_map(|(_, required, optional)| [*required, *optional]);
    let of_http = endpoint::TYPES.iter().map(|(_, keys)| *keys);
    let shared = [&endpoint::KEYS[..], &tls::KEYS];
    let mut seen = HashSet::new();
    for key in of_types.chain(of_http).chain(shared).flatten() {
        let belongs = required.contains(key) || optional.contains(key);
        if seen.insert(key) && section.has(key) && !belongs {
            section.refuse(key, &format!("means nothing for a channel of type {kind}"));
        }
    }
}

/// The keys that a type needs, and those that it may have.
fn keys(kind: &str) -> (&'static [&'static str], Vec<&'static str>) {
    if let Some((_, keys)) = endpoint::TYPES.iter().find(|(name, _)| *name == kind) {
        return (&[], [*keys, &endpoint::KEYS, &tls::KEYS].concat());
    }
    let of_type = TYPES.iter().find(|(name, ..)| *name == kind);
    of_type.map_or((&[], Vec::new()), |(_, required, optional)| (*required, optional.to_vec()))
}

fn transport(section: &mut Section<'_, '_>, kind: &str) -> Option<Transport> {
    match kind {
        "stdout" => Some(Transport::Stdout),
        "command" => command(section),
        "email" => email::email(section).map(Box::new).map(Transport::Email),
        "syslog" => Some(Transport::Syslog(syslog::syslog(section))),
        _ => endpoint::http(section, kind).map(Transport::Http),
    }
}

fn command(section: &mut Section<'_, '_>) -> Option<Transport> {
    let words = section.strings("command", value::text)?;
    match words.first() {
        Some(program) if program.starts_with('/') => Some(Transport::Command(words)),
        Some(_) => {
            section.refuse("command", "must begin with the absolute path of a program");
            None
        }
        None => {
            section.refuse("command", "must name a program");
            None
        }
    }
}

fn severities(section: &mut Section<'_, '_>) -> Option<Vec<Severity>> {
    let severity = |text: &str| value::choice(text, &Severity::ALL, Severity::as_str, &[]);
    let severities = section.strings("severities", severity);
    if severities.as_ref().is_some_and(Vec::is_empty) {
        section.refuse("severities", "must name at least one severity");
    }
    severities
}

fn digest(section: &mut Section<'_, '_>) -> Option<Digest> {
    if section.has("every") && section.has("at") {
        section.refuse("at", "cannot stand beside every; keep one of them");
    }
    let every = section.string("every", value::window).map(Digest::Every);
    every.or_else(|| section.string("at", value::moment).map(Digest::At))
}

pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    let length = value::window(text)?;
    length.to_std().ok().filter(|_| TIMEOUT_SECONDS.contains(&length.num_seconds())).ok_or_else(
        || format!("must be from {}s to {}s", TIMEOUT_SECONDS.start(), TIMEOUT_SECONDS.end()),
    )
}

/// The variables of the environment that the config names for secrets.
pub(super) fn variables_with_secrets(
    channels: &[ChannelConfig],
    heartbeat: Option<&HeartbeatConfig>,
) -> Vec<String> {
    let of_channels = channels.iter().flat_map(ChannelConfig::secrets);
    let of_heartbeat = heartbeat.into_iter().flat_map(|one| one.endpoint.secrets());
    let variables = of_channels.chain(of_heartbeat).filter_map(|secret| match secret {
        Secret::Env(name) => Some(name.clone()),
        Secret::Plain(_) | Secret::File(_) => None,
    });
    variables.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What is wrong with a fallback that is not there.
pub(super) fn lost_fallback(channel: &ChannelConfig, channels: &[&str]) -> Option<String> {
    let fallback = channel.fallback.as_ref()?;
    if fallback.channel == channel.name {
        return Some(format!("{:?} cannot be its own fallback", channel.name));
    }
    let problem = known(&fallback.channel, channels).err()?;
    Some(format!("{:?} has a fallback that {problem}", channel.name))
}

/// `None` if anything about the route is wrong, which has been reported then.
pub(super) fn route(mut section: Section<'_, '_>, channels: &[&str]) -> Option<RouteConfig> {
    section.require(&["channels"]);
    let glob = |text: &str| Pattern::new(text).map_err(|error| format!("is no glob: {error}"));
    let mut globs = |key| section.string_or_strings(key, glob).unwrap_or_default();
    let (rules, sources, groups) = (globs("rules"), globs("sources"), globs("groups"));
    let route = RouteConfig {
        rules,
        sources,
        groups,
        severities: severities(&mut section).unwrap_or_default(),
        channels: section.strings("channels", |text| known(text, channels)).unwrap_or_default(),
        goes_on: section.boolean("continue").unwrap_or_default(),
    };
    section.is_right().then_some(route)
}

/// The name of a channel that is there.
pub(super) fn known(name: &str, channels: &[&str]) -> Result<String, String> {
    if channels.contains(&name) {
        return Ok(name.to_owned());
    }
    if channels.is_empty() {
        return Err(format!(
            "{} is not known: there is no [[channel]]",
            super::words::quoted(name)
        ));
    }
    Err(super::words::refusal(name, channels, &[]))
}

pub(super) fn delivery(mut section: Section<'_, '_>) -> DeliveryConfig {
    let default = DeliveryConfig::default();
    DeliveryConfig {
        budget: section.string("budget", timeout).unwrap_or(default.budget),
        storm_cap: section.integer("storm_cap", STORM_CAPS).unwrap_or(default.storm_cap),
    }
}
