//! The proxy that the environment names for a URL.
//!
//! There is no standard; this is what curl does (its manual page, "ENVIRONMENT"): a variable for
//! each scheme, `all_proxy` for the rest, and `no_proxy` with hosts, each of which stands for the
//! hosts below it too.

use std::env;

use ureq::Proxy;
use ureq::http::Uri;

use crate::notify::failure::Failure;

/// The proxy for a URL; `None`: go there directly.
///
/// # Errors
/// When the variable holds no address of a proxy: without it, nothing may leave this host.
pub(super) fn of(uri: &Uri) -> Result<Option<Proxy>, Failure> {
    let Some((name, value)) = named(uri, |name| env::var(name).ok()) else { return Ok(None) };
    let wrong = || {
        // Without the value: it may hold a password.
        Failure::of_channel(&format!(
            "the variable {name} does not name a proxy (http://HOST:PORT)"
        ))
    };
    Proxy::new(&value).map(Some).map_err(|_| wrong())
}

/// The variable that counts, and what it says.
fn named(uri: &Uri, variable: impl Fn(&str) -> Option<String>) -> Option<(String, String)> {
    let either = |name: &str| {
        let names = [name.to_owned(), name.to_ascii_uppercase()];
        names.into_iter().find_map(|name| {
            let value = variable(&name).filter(|value| !value.trim().is_empty())?;
            Some((name, value))
        })
    };
    let host = uri.host()?.trim_matches(['[', ']']).to_ascii_lowercase();
    if either("no_proxy").is_some_and(|(_, list)| is_listed(&host, &list)) {
        return None;
    }
    either(&format!("{}_proxy", uri.scheme_str()?)).or_else(|| either("all_proxy"))
}

fn is_listed(host: &str, list: &str) -> bool {
    list.split([',', ' ']).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
        let is_below = || host.strip_suffix(&entry).is_some_and(|rest| rest.ends_with('.'));
        entry == "*" || host == entry || is_below()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let uri: Uri = url.parse().unwrap();
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        named(&uri, variable).map(|(name, _)| name)
    }

    #[test]
    fn each_scheme_has_a_variable() {
        let all = [("HTTPS_PROXY", "http://p:1"), ("http_proxy", "p:2"), ("ALL_PROXY", "p:3")];
        assert_eq!(proxy("https://a/", &all).as_deref(), Some("HTTPS_PROXY"));
        assert_eq!(proxy("http://a/", &all).as_deref(), Some("http_proxy"));
        assert_eq!(proxy("http://a/", &all[2..]).as_deref(), Some("ALL_PROXY"));
        assert_eq!(proxy("http://a/", &all[..1]), None);
        assert_eq!(proxy("https://a/", &[("HTTPS_PROXY", "")]), None);
    }

    #[test]
    fn some_hosts_have_none() {
        let is_direct = |host: &str, list: &str| {
            let url = format!("https://{host}/");
            proxy(&url, &[("https_proxy", "http://p:1"), ("no_proxy", list)]).is_none()
        };
        for (host, list) in [
            ("example.com", "example.com"),
            ("a.Example.com", "localhost, example.com"),
            ("a.example.com", ".example.com"),
            ("a.example.com:8443", "*.example.com"),
            ("192.0.2.7", "192.0.2.7"),
            ("[::1]:80", "::1"),
            ("anything", "*"),
        ] {
            assert!(is_direct(host, list), "{host} {list}");
        }
        for (host, list) in [("notexample.com", "example.com"), ("com", "example.com"), ("a", ",")]
        {
            assert!(!is_direct(host, list), "{host} {list}");
        }
    }
}
