//! Connecting, without ever showing the address: it may hold a password.

use diesel::connection::{CacheSize, Connection};
use diesel::pg::PgConnection;

use super::{StoreError, lines_joined};

/// Connects to a database.
///
/// `origin` says where the address came from ("given by `DATABASE_URL`"); it stands in messages
/// in place of the address.
///
/// # Errors
/// [`StoreError::Connect`], with what the server said.
pub fn connect(url: &str, origin: &str) -> Result<PgConnection, StoreError> {
    let mut connection = PgConnection::establish(&with_defaults(url)).map_err(|error| {
        let message = lines_joined(&redact(&error.to_string(), url));
        StoreError::Connect { origin: origin.to_owned(), message }
    })?;
    // A process of a second gains nothing from prepared statements, and pgbouncer loses them.
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    Ok(connection)
}

/// Adds a time limit for connecting and the program's name, where the address has none.
fn with_defaults(url: &str) -> String {
    let mut url = url.to_owned();
    let is_uri = url.starts_with("postgres://") || url.starts_with("postgresql://");
    for (key, value) in [("connect_timeout", "10"), ("fallback_application_name", "tripline")] {
        if url.contains(key) {
            continue;
        }
        url.push_str(match (is_uri, url.contains('?')) {
            (true, false) => "?",
            (true, true) => "&",
            (false, _) => " ",
        });
        url.push_str(key);
        url.push('=');
        url.push_str(value);
    }
    url
}

/// Replaces every part of the address's secrets in a text.
///
/// The client library cites parts of an address that it cannot read, and of a password with an
/// unescaped `@` or `/` it takes a part for the host. So everything of three characters or more
/// that stands in a secret as well is replaced: rather a word too many than one too few.
pub fn redact(text: &str, url: &str) -> String {
    secrets(url).iter().fold(text.to_owned(), |text, secret| redact_secret(&text, secret))
}

fn redact_secret(text: &str, secret: &str) -> String {
    let shortest = secret.chars().count().min(3);
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let shared = rest
            .char_indices()
            .map(|(at, character)| at + character.len_utf8())
            .take_while(|&end| secret.contains(&rest[..end]))
            .last()
            .unwrap_or(0);
        if rest[..shared].chars().count() >= shortest {
            redacted.push_str("***");
            rest = &rest[shared..];
        } else {
            redacted.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    redacted
}

/// Whether the address holds a password.
pub fn holds_password(url: &str) -> bool {
    !secrets(url).is_empty()
}

/// The address without its passwords: the same for the same database and user.
pub fn without_password(url: &str) -> String {
    secrets(url).iter().fold(url.to_owned(), |url, secret| url.replace(secret, "***"))
}

/// What stands where a password may stand: behind `password=`, and in a URI between the first
/// colon and the last `@` before the host.
fn secrets(url: &str) -> Vec<&str> {
    let mut secrets = Vec::new();
    if let Some((scheme, rest)) = url.split_once("://")
        && scheme.starts_with("postgres")
        && let Some((user_info, _)) = rest.rsplit_once('@')
        && let Some((_, password)) = user_info.split_once(':')
    {
        secrets.push(password);
    }
    for (at, _) in url.match_indices("password=") {
        let value = &url[at + "password=".len()..];
        let value = match value.strip_prefix('\'') {
            Some(quoted) => quoted.split('\'').next(),
            None => value.split(['&', ' ']).next(),
        };
        secrets.extend(value);
    }
    secrets.retain(|secret| !secret.is_empty());
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_password_is_shown() {
        for url in [
            "postgres://me:pa:ss@wo/rd@db.example/logs",
            "postgresql://me@db/logs?password=pa:ss@wo/rd&sslmode=require",
            "host=db user=me password='pa:ss@wo/rd' dbname=logs",
            "host=db password=pa:ss@wo/rd dbname=logs",
        ] {
            let text =
                "could not translate host name \"wo/rd@db.example\"; pa:ss; word 'pa:ss@wo/rd'";
            let redacted = redact(text, url);
            assert!(redacted.starts_with("could not translate host name"), "{redacted}");
            for part in ["pa:", "ss@", "wo/rd", ":ss"] {
                assert!(!redacted.contains(part), "{url}: {redacted}");
            }
            assert!(holds_password(url));
            assert!(!without_password(url).contains("pa:ss"), "{url}");
        }
    }

    #[test]
    fn an_address_without_a_password_stays() {
        let url = "postgresql:///tripline?host=/run/tripline&user=tripline";
        assert!(!holds_password(url));
        assert_eq!(without_password(url), url);
        assert_eq!(redact("connection refused", url), "connection refused");
    }

    #[test]
    fn defaults_are_added_where_there_are_none() {
        assert_eq!(
            with_defaults("postgres://db/logs"),
            "postgres://db/logs?connect_timeout=10&fallback_application_name=tripline"
        );
        assert_eq!(
            with_defaults("host=db connect_timeout=3"),
            "host=db connect_timeout=3 fallback_application_name=tripline"
        );
        assert_eq!(with_defaults(""), " connect_timeout=10 fallback_application_name=tripline");
    }
}
