//! Secrets that would go over the network where everybody on the way can read them.

use std::net::IpAddr;

use super::endpoint::{Endpoint, HttpConfig, Service};
use super::secret::Secret;

/// Words in the names of headers whose values let somebody in.
const OF_SECRET_HEADERS: [&str; 6] =
    ["authorization", "cookie", "key", "password", "secret", "token"];

/// One sentence about a channel on the web whose secrets go over `http://` to another host.
pub(super) fn of_channel(
    name: &str,
    HttpConfig { service, endpoint }: &HttpConfig,
) -> Option<String> {
    let mut others = Vec::new();
    match service {
        // Who knows the URL of these may write there.
        Service::Slack | Service::Teams => others.push("url".to_owned()),
        Service::Pagerduty { .. } => others.push("routing_key".to_owned()),
        _ => {}
    }
    warning(&format!("channel {name:?}"), endpoint, others)
}

/// The same about the sign of life.
pub(super) fn of_heartbeat(endpoint: &Endpoint) -> Option<String> {
    warning("[heartbeat]", endpoint, Vec::new())
}

fn warning(who: &str, endpoint: &Endpoint, mut secrets: Vec<String>) -> Option<String> {
    // Where it cannot be had, sending says so.
    let url = endpoint.url.read().ok()?;
    let (scheme, _) = url.split_once("://")?;
    let host = host(&url);
    if !scheme.eq_ignore_ascii_case("http") || is_this_host(host) {
        return None;
    }
    if has_login(&url) && secrets.iter().all(|known| known != "url") {
        secrets.push("url".to_owned());
    }
    secrets.extend(endpoint.token.as_ref().map(|_| "token".to_owned()));
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        OF_SECRET_HEADERS.iter().any(|word| name.contains(word))
    };
    let headers = endpoint.headers.iter().filter(|(name, _)| is_secret(name));
    secrets.extend(headers.map(|(name, _)| format!("headers.{name}")));
    if secrets.is_empty() {
        return None;
    }
    // Not the host where that is a secret's as well.
    let to = if matches!(endpoint.url, Secret::Plain(_)) { host } else { "another host" };
    Some(format!(
        "{who} sends what nobody else should read ({}) over http:// to {to}, in clear for everybody \
         on the way: use https://",
        secrets.join(", ")
    ))
}

/// What stands between the scheme and the path: `ann:secret@example.com:8080`.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// The host of a URL, with its port: the rest may be a secret.
pub(super) fn host_and_port(url: &str) -> &str {
    let authority = authority(url);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// Whether a URL holds a user or a password.
pub(super) fn has_login(url: &str) -> bool {
    authority(url).contains('@')
}

/// The host of a URL, without its port.
fn host(url: &str) -> &str {
    let place = host_and_port(url);
    if let Some((address, _)) = place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    place.split(':').next().unwrap_or_default()
}

/// Whether nothing leaves this host that is sent there.
pub(super) fn is_this_host(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    // RFC 6761, section 6.3.
    name == "localhost"
        || name.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::expect;

    use super::*;
    use crate::config::{Config, Transport};

    fn warnings(lines: &str) -> Option<String> {
        let text = format!("[[channel]]\nname = 'c'\n{lines}\n");
        let config = Config::parse(Path::new("tripline.toml"), text.as_bytes()).unwrap();
        match &config.channels[0].transport {
            Transport::Http(http) => of_channel(&config.channels[0].name, http),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_secret_over_http_is_told() {
        let each: String = [
            "type = 'slack'\nurl = 'http://chat.example.com/hooks/s3cret'",
            "type = 'teams'\nurl = 'http://ann:s3cret@chat.example.com:8080/s3cret'",
            "type = 'pagerduty'\nurl = 'http://proxy/v2'\nrouting_key = 's3cret'",
            "type = 'gotify'\nurl = 'http://192.0.2.7'\ntoken_file = '/etc/token'",
            "type = 'ntfy'\nurl = 'http://[2001:db8::1]:80/ops'\nheaders = { Authorization = 'Basic s3cret', X-Team = 'ops' }",
            "type = 'webhook'\nurl = 'http://ann@hook'\nheaders = { X-Api-Key = 's3cret' }",
            "type = 'alertmanager'\nurl = 'http://localhost.example.com'\ntoken_env = 'X'",
        ]
        .iter()
        .map(|lines| warnings(lines).unwrap() + "\n")
        .collect();
        expect![[r#"
            channel "c" sends what nobody else should read (url) over http:// to chat.example.com, in clear for everybody on the way: use https://
            channel "c" sends what nobody else should read (url) over http:// to chat.example.com, in clear for everybody on the way: use https://
            channel "c" sends what nobody else should read (routing_key) over http:// to proxy, in clear for everybody on the way: use https://
            channel "c" sends what nobody else should read (token) over http:// to 192.0.2.7, in clear for everybody on the way: use https://
            channel "c" sends what nobody else should read (headers.Authorization) over http:// to 2001:db8::1, in clear for everybody on the way: use https://
            channel "c" sends what nobody else should read (url, headers.X-Api-Key) over http:// to hook, in clear for everybody on the way: use https://
            channel "c" sends what nobody else should read (token) over http:// to localhost.example.com, in clear for everybody on the way: use https://
        "#]].assert_eq(&each);
        assert!(!each.contains("s3cret"));
    }

    #[test]
    fn what_stays_here_or_is_encrypted_or_no_secret_is_none() {
        for lines in [
            "type = 'slack'\nurl = 'https://chat.example.com/hooks/s3cret'",
            "type = 'slack'\nurl = 'http://localhost:8065/hooks/s3cret'",
            "type = 'slack'\nurl = 'http://ann:x@127.0.0.5:80/hooks/s3cret'",
            "type = 'slack'\nurl = 'http://[::1]:80/hooks/s3cret'",
            "type = 'slack'\nurl = 'http://Chat.LOCALHOST./hooks/s3cret'",
            "type = 'slack'\nurl_file = '/no/such/file'",
            "type = 'webhook'\nurl = 'http://hook/path?a=@'\nheaders = { X-Team = 'ops' }",
            "type = 'alertmanager'\nurl = 'http://am:9093'",
        ] {
            assert_eq!(warnings(lines), None, "{lines}");
        }
    }
}
