//! A `[[channel]]` that is a program on the web: where it is, what it understands.

use std::fmt;

use chrono::TimeDelta;

use super::in_clear::{has_login, host_and_port};
use super::secret::{Secret, has_secret, required, secret};
use super::section::Section;
use super::tls::{Tls, tls};
use super::value;

/// The types, each with the keys that it may have besides those of all of them.
pub(super) const TYPES: [(&str, &[&str]); 7] = [
    ("webhook", &["format", "body", "content_type"]),
    ("alertmanager", &["expires_after"]),
    ("slack", &[]),
    ("teams", &[]),
    ("pagerduty", &["routing_key", "routing_key_file", "routing_key_env"]),
    ("ntfy", &[]),
    ("gotify", &[]),
];
/// What all of them may have, besides [`super::tls::KEYS`].
pub(super) const KEYS: [&str; 7] =
    ["url", "url_file", "url_env", "token", "token_file", "token_env", "headers"];
/// Where `PagerDuty` takes events (Events API v2).
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
/// Alertmanager forgets an alert of which it has not heard for so long. Runs are often a minute
/// apart and seldom more than a quarter of an hour, and one or two may fail.
const EXPIRES_AFTER: TimeDelta = TimeDelta::hours(1);
/// Headers that are ours to write: what frames the request, and what marks a repeat.
const OUR_HEADERS: [&str; 8] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "te",
    "transfer-encoding",
];

/// A program on the web.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// What it understands.
    pub service: Service,
    /// Where it is, and how to be let in.
    pub endpoint: Endpoint,
}

/// What a program on the web understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// Any: the notification as JSON, or what the template makes of it.
    Webhook {
        /// A template for the body; `None`: JSON.
        body: Option<String>,
        /// What the template makes.
        content_type: String,
    },
    /// Whoever understands what Alertmanager sends to webhooks (version 4).
    AlertmanagerWebhook,
    /// Alertmanager itself (API version 2).
    Alertmanager {
        /// When it takes an alert for over of which it hears no more.
        expires_after: TimeDelta,
    },
    /// An incoming webhook of Slack, Mattermost or Rocket.Chat.
    Slack,
    /// A workflow of Microsoft Teams that takes cards.
    Teams,
    /// `PagerDuty` Events version 2.
    Pagerduty {
        /// Which service of theirs it is about.
        routing_key: Secret,
    },
    /// ntfy, by the URL of the topic.
    Ntfy,
    /// Gotify, by the URL of the server.
    Gotify,
}

/// Where a program on the web is.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Many hold a token.
    pub url: Secret,
    /// Further headers of the request. Their values may be secrets.
    pub headers: Vec<(String, String)>,
    /// Sent as `Authorization: Bearer` (Gotify: `X-Gotify-Key`).
    pub token: Option<Secret>,
    /// How to know each other.
    pub tls: Tls,
}

impl Service {
    /// The name of the type of its channels.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Webhook { .. } | Self::AlertmanagerWebhook => "webhook",
            Self::Alertmanager { .. } => "alertmanager",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Pagerduty { .. } => "pagerduty",
            Self::Ntfy => "ntfy",
            Self::Gotify => "gotify",
        }
    }
}

impl Endpoint {
    /// All that is kept secret but the headers.
    pub(super) fn secrets(&self) -> Vec<&Secret> {
        [&self.url].into_iter().chain(&self.token).collect()
    }

    /// Where it is, for people: of a URL only the host, the rest may be a secret.
    pub(super) fn place(&self) -> String {
        match &self.url {
            Secret::Plain(url) => host_and_port(url).to_owned(),
            Secret::File(path) => format!("URL in {}", path.display()),
            Secret::Env(name) => format!("URL in ${name}"),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, headers, token, tls } = self;
        let headers: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Endpoint")
            .field("url", url)
            .field("headers", &headers)
            .field("token", token)
            .field("tls", tls)
            .finish()
    }
}

impl HttpConfig {
    /// All that is kept secret but the headers.
    pub(super) fn secrets(&self) -> Vec<&Secret> {
        let mut secrets = self.endpoint.secrets();
        if let Service::Pagerduty { routing_key } = &self.service {
            secrets.push(routing_key);
        }
        secrets
    }

    /// The keys of secrets that stand in the config itself.
    pub(super) fn exposed(&self) -> Vec<&'static str> {
        let Self { service, endpoint } = self;
        // Who knows the URL of these may write there.
        let url = match (service, &endpoint.url) {
            (Service::Slack | Service::Teams, url) => Some(url),
            (_, Secret::Plain(url)) if has_login(url) => Some(&endpoint.url),
            _ => None,
        };
        let routing_key = match service {
            Service::Pagerduty { routing_key } => Some(routing_key),
            _ => None,
        };
        [("url", url), ("token", endpoint.token.as_ref()), ("routing_key", routing_key)]
            .into_iter()
            .filter(|(_, secret)| matches!(secret, Some(Secret::Plain(_))))
            .map(|(key, _)| key)
            .collect()
    }
}

/// `None` if anything about it is wrong, which has been reported then, or if `kind` is none of
/// our [`TYPES`].
pub(super) fn http(section: &mut Section<'_, '_>, kind: &str) -> Option<HttpConfig> {
    let service = match kind {
        "webhook" => webhook(section),
        "alertmanager" => Service::Alertmanager {
            expires_after: section.string("expires_after", value::window).unwrap_or(EXPIRES_AFTER),
        },
        "slack" => Service::Slack,
        "teams" => Service::Teams,
        "pagerduty" => pagerduty(section)?,
        "ntfy" => Service::Ntfy,
        "gotify" => Service::Gotify,
        _ => return None,
    };
    let url = match &service {
        Service::Pagerduty { .. } if !has_secret(section, "url") => {
            Some(Secret::Plain(PAGERDUTY.to_owned()))
        }
        _ => required(section, "url"),
    };
    let token = match service {
        Service::Gotify => required(section, "token"),
        _ => secret(section, "token"),
    };
    let endpoint = endpoint(section, url, token)?;
    let has_authorization =
        endpoint.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    // That of Gotify goes another way.
    if has_authorization && endpoint.token.is_some() && service != Service::Gotify {
        section.refuse("headers", "cannot have Authorization beside a token; keep one of them");
    }
    Some(HttpConfig { service, endpoint })
}

/// Where a sign of life goes.
pub(super) fn of_heartbeat(section: &mut Section<'_, '_>) -> Option<Endpoint> {
    let url = required(section, "url");
    let token = secret(section, "token");
    endpoint(section, url, token)
}

fn endpoint(
    section: &mut Section<'_, '_>,
    url: Option<Secret>,
    token: Option<Secret>,
) -> Option<Endpoint> {
    if let Some(Secret::Plain(url)) = &url
        && !is_url(url)
    {
        // Without the URL itself, which may hold a secret.
        section.refuse("url", "must begin with https:// or http:// and a host");
    }
    let headers = section.pairs("headers", |name, text| {
        header_name(name)?;
        header_value(text)
    });
    Some(Endpoint { url: url?, headers: headers.unwrap_or_default(), token, tls: tls(section) })
}

fn webhook(section: &mut Section<'_, '_>) -> Service {
    let format = section
        .string("format", |text| value::choice(text, &["json", "alertmanager"], |name| name, &[]));
    let body = section.string("body", value::text);
    let content_type = section.string("content_type", header_value);
    if section.has("format") && section.has("body") {
        section.refuse("body", "cannot stand beside format; keep one of them");
    }
    if section.has("content_type") && !section.has("body") {
        section.refuse("content_type", "means nothing without body");
    }
    if format == Some("alertmanager") {
        return Service::AlertmanagerWebhook;
    }
    let content_type = content_type.unwrap_or_else(|| "application/json".to_owned());
    Service::Webhook { body, content_type }
}

fn pagerduty(section: &mut Section<'_, '_>) -> Option<Service> {
    for key in ["every", "at"] {
        if section.has(key) {
            section.refuse(
                key,
                "means nothing for a channel of type pagerduty: each alert is an event",
            );
        }
    }
    Some(Service::Pagerduty { routing_key: required(section, "routing_key")? })
}

fn is_url(url: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':', '@']))
        && url.chars().all(|c| ('!'..='~').contains(&c))
}

fn header_name(name: &str) -> Result<(), String> {
    // RFC 9110, section 5.1: a token.
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) {
        return Err("is no name of a header".to_owned());
    }
    if OUR_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err("is a header that is written for you".to_owned());
    }
    Ok(())
}

fn header_value(text: &str) -> Result<String, String> {
    if text.chars().all(|c| (' '..='~').contains(&c)) {
        Ok(text.to_owned())
    } else {
        Err("must consist of printable ASCII characters".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::{Expect, expect};

    use super::*;
    use crate::config::{Config, Transport};

    fn config(lines: &str) -> Result<HttpConfig, String> {
        let text = format!("[[channel]]\nname = 'c'\n{lines}\n");
        let config = Config::parse(Path::new("tripline.toml"), text.as_bytes())
            .map_err(|error| error.to_string())?;
        match &config.channels[0].transport {
            Transport::Http(http) => Ok(http.clone()),
            other => panic!("{other:?}"),
        }
    }

    fn refused(lines: &str, expected: &Expect) {
        expected.assert_eq(&config(lines).unwrap_err());
    }

    #[test]
    fn each_type_has_its_keys() {
        let webhook = config(
            "type = 'webhook'\nurl_env = 'HOOK'\nbody = '{{ title }}'\ncontent_type = 'text/plain'\n\
             headers = { X-Team = 'ops' }\ntoken_file = '/etc/token'\nca_file = '/etc/ca.pem'",
        )
        .unwrap();
        assert_eq!(
            webhook.service,
            Service::Webhook {
                body: Some("{{ title }}".into()),
                content_type: "text/plain".into()
            }
        );
        let Endpoint { url, headers, token, tls } = webhook.endpoint;
        assert_eq!(url, Secret::Env("HOOK".into()));
        assert_eq!(headers, [("X-Team".to_owned(), "ops".to_owned())]);
        assert_eq!(token, Some(Secret::File("/etc/token".into())));
        assert_eq!(tls.ca_file, Some("/etc/ca.pem".into()));
        let pagerduty = config("type = 'pagerduty'\nrouting_key = 'k'").unwrap();
        assert_eq!(pagerduty.endpoint.url, Secret::Plain(PAGERDUTY.into()));
        let alertmanager = config("type = 'alertmanager'\nurl = 'http://am:9093'").unwrap();
        assert_eq!(alertmanager.service, Service::Alertmanager { expires_after: EXPIRES_AFTER });
    }

    #[test]
    fn what_is_missing_or_means_nothing_is_told() {
        refused(
            "type = 'slack'",
            &expect![[r#"tripline.toml:1:1: missing key "url" in [[channel]]"#]],
        );
        refused(
            "type = 'pagerduty'\nurl = 'https://x'",
            &expect![[r#"tripline.toml:1:1: missing key "routing_key" in [[channel]]"#]],
        );
        refused(
            "type = 'pagerduty'\nrouting_key = 'x'\nevery = '1h'",
            &expect![
                "tripline.toml:5:9: every means nothing for a channel of type pagerduty: each alert is an event"
            ],
        );
        refused(
            "type = 'gotify'\nurl = 'https://x'\nbody = 'x'",
            &expect![[r#"
            tripline.toml:1:1: missing key "token" in [[channel]]
            tripline.toml:5:8: body means nothing for a channel of type gotify"#]],
        );
        refused(
            "type = 'ntfy'\nurl = 'https://x/y'\nurl_env = 'X'",
            &expect!["tripline.toml:5:11: url_env cannot stand beside url; keep one of them"],
        );
        refused(
            "type = 'webhook'\nurl = 'https://x'\nformat = 'alertmanager'\nbody = 'x'",
            &expect!["tripline.toml:6:8: body cannot stand beside format; keep one of them"],
        );
        refused(
            "type = 'webhook'\nurl = 'https://x'\ncontent_type = 'text/plain'",
            &expect!["tripline.toml:5:16: content_type means nothing without body"],
        );
        refused(
            "type = 'webhook'\nurl = 'ftp://s3cret@x'",
            &expect!["tripline.toml:4:7: url must begin with https:// or http:// and a host"],
        );
        refused(
            "type = 'webhook'\nurl = 'https://x'\nheaders = { 'X Y' = 'a', Host = 'b', Z = \"a\\nb\" }",
            &expect![[r#"
                tripline.toml:5:21: "X Y" in headers is no name of a header
                tripline.toml:5:33: "Host" in headers is a header that is written for you
                tripline.toml:5:42: "Z" in headers must consist of printable ASCII characters"#]],
        );
        refused(
            "type = 'webhook'\nurl = 'https://x'\ntoken_env = 'T'\nheaders = { authorization = 'x' }",
            &expect![
                "tripline.toml:6:11: headers cannot have Authorization beside a token; keep one of them"
            ],
        );
        refused(
            "type = 'webhook'\nurl = 'https://x'\nclient_key_file = '/k'",
            &expect![
                "tripline.toml:5:19: client_key_file needs both client_cert_file and client_key_file"
            ],
        );
        refused(
            "type = 'command'\ncommand = ['/x']\nurl = 'https://x'",
            &expect!["tripline.toml:5:7: url means nothing for a channel of type command"],
        );
    }

    #[test]
    fn a_secret_shows_itself_to_nobody() {
        let shown = format!(
            "{:?}",
            config(
                "type = 'webhook'\nurl = 'https://x/s3cret'\ntoken = 's3cret'\n\
                 headers = { Cookie = 's3cret' }"
            )
            .unwrap()
        );
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn what_others_must_not_read_is_known() {
        let exposed = |lines: &str| config(lines).unwrap().exposed();
        assert_eq!(exposed("type = 'slack'\nurl = 'https://x/y'"), ["url"]);
        assert_eq!(exposed("type = 'slack'\nurl_env = 'X'"), [""; 0]);
        assert_eq!(exposed("type = 'webhook'\nurl = 'http://localhost/y?a=@'"), [""; 0]);
        assert_eq!(
            exposed("type = 'webhook'\nurl = 'http://u:p@x'\ntoken = 'x'"),
            ["url", "token"]
        );
        assert_eq!(exposed("type = 'pagerduty'\nrouting_key = 'x'"), ["routing_key"]);
    }
}
