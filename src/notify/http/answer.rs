//! What an answer, or that there is none, says about a channel.
//!
//! Status codes: RFC 9110, section 15, and RFC 6585. `Retry-After`: RFC 9110, section 10.2.3.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use ureq::Error;
use ureq::http::{HeaderMap, StatusCode};

use crate::notify::failure::Failure;
use crate::notify::send::no_answer;
use crate::notify::tls;

/// Refusals that the next message would get as well: of who we are, where we ask, and when.
const ABOUT_CHANNEL: [u16; 10] = [401, 402, 403, 404, 405, 407, 408, 410, 425, 429];

/// Why an answer that is no success is a failure.
pub(super) fn of_status(
    status: StatusCode,
    headers: &HeaderMap,
    said: &str,
    place: &str,
) -> Failure {
    let name = status.canonical_reason().unwrap_or_default();
    let mut reason = format!("{place} answers {} {name}", status.as_u16()).trim_end().to_owned();
    if status.is_redirection() {
        // Not where to: that may hold a secret.
        reason.push_str(", which is not followed: name the address that it leads to in the config");
    } else if !said.trim().is_empty() {
        reason.push_str(": ");
        reason.push_str(said.trim());
    }
    let is_about_message = status.is_client_error() && !ABOUT_CHANNEL.contains(&status.as_u16());
    let failure =
        if is_about_message { Failure::of_message(&reason) } else { Failure::of_channel(&reason) };
    Failure { retry_after: retry_after(headers), ..failure }
}

/// How long the other side asks to be left alone: in seconds, or until a time by its own clock.
fn retry_after(headers: &HeaderMap) -> Option<TimeDelta> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let value = text("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(TimeDelta::seconds(i64::from(seconds)));
    }
    let time = |text: &str| DateTime::parse_from_rfc2822(text).ok();
    Some((time(value)? - time(text("date")?)?).max(TimeDelta::zero()))
}

/// Why there is no answer. The texts of some errors hold the URL, these are not shown.
pub(super) fn of_error(error: &Error, place: &str, patience: Duration) -> Failure {
    let why = match error {
        Error::Timeout(_) => {
            let failure = no_answer(patience);
            return Failure { reason: format!("{place}: {}", failure.reason), ..failure };
        }
        Error::Io(error) => tls::why_broken(error),
        Error::Rustls(error) => tls::with_advice(error),
        Error::HostNotFound => "there is no such host".to_owned(),
        Error::BadUri(_) | Error::RequireHttpsOnly(_) => "the URL cannot be used".to_owned(),
        Error::Http(_) => "a secret or a header holds what no header may hold".to_owned(),
        Error::ConnectProxyFailed(reason) => format!("the proxy does not let us through: {reason}"),
        other => other.to_string(),
    };
    Failure::of_channel(&format!("{place}: {why}"))
}

#[cfg(test)]
mod tests {
    use ureq::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()));
        pairs.collect()
    }

    fn failure(status: u16, said: &str) -> Failure {
        let status = StatusCode::from_u16(status).unwrap();
        of_status(status, &headers(&[]), said, "https://example.com/…")
    }

    #[test]
    fn what_the_server_says_is_told() {
        assert_eq!(
            failure(400, " no text\r\n\u{1b}[2J ").reason,
            "https://example.com/… answers 400 Bad Request: no text\\r\\n\\u{1b}[2J"
        );
        assert_eq!(failure(599, "").reason, "https://example.com/… answers 599");
        assert!(failure(302, "to http://s3cret").reason.contains("is not followed"));
        assert!(!failure(302, "to http://s3cret").reason.contains("s3cret"));
        assert!(failure(500, &"x".repeat(4096)).reason.len() < 500);
    }

    #[test]
    fn who_is_refused_and_what_is_refused_are_two_things() {
        for status in [400, 409, 413, 422] {
            assert!(failure(status, "").is_about_message, "{status}");
        }
        for status in [301, 401, 404, 408, 425, 429, 500, 503] {
            assert!(!failure(status, "").is_about_message, "{status}");
        }
    }

    #[test]
    fn a_server_may_ask_for_time() {
        let asked = |pairs: &[(&'static str, &str)]| retry_after(&headers(pairs));
        assert_eq!(asked(&[("retry-after", "120")]), Some(TimeDelta::minutes(2)));
        let date = ("date", "Wed, 21 Oct 2015 07:28:00 GMT");
        let later = ("retry-after", "Wed, 21 Oct 2015 08:00:00 GMT");
        assert_eq!(asked(&[date, later]), Some(TimeDelta::minutes(32)));
        let past = ("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT");
        assert_eq!(asked(&[date, past]), Some(TimeDelta::zero()));
        for wrong in ["", "soon", "-5", "99999999999", "Wed, 21 Oct 2015 08:00:00 GMT"] {
            assert_eq!(asked(&[("retry-after", wrong)]), None, "{wrong}");
        }
    }
}
