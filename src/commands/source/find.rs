//! Which source is meant?
//!
//! Pure: the known sources and what was typed go in, one source or what to type comes out.

use crate::config::nearest;
use crate::report::sources::ListedSource;
use crate::visible;

/// Sources that a message lists.
const LISTED: usize = 10;

/// The source of a host that has this path, or this name. `absolute` is what was typed as a
/// path of this host, where it can be one.
///
/// # Errors
/// What is wrong with what was typed: no source has that name, or several have.
pub(in crate::commands) fn find<'a>(
    sources: &'a [ListedSource],
    host: &str,
    typed: &str,
    absolute: Option<&str>,
) -> Result<&'a ListedSource, String> {
    let of_host: Vec<_> = sources.iter().filter(|source| source.host == host).collect();
    let at_path = |path: &str| of_host.iter().find(|source| source.path == path).copied();
    if let Some(source) = at_path(typed).or_else(|| at_path(absolute?)) {
        return Ok(source);
    }
    let named: Vec<_> = of_host.iter().filter(|source| source.name == typed).copied().collect();
    match named.as_slice() {
        [] => Err(unknown(sources, &of_host, host, typed)),
        [source] => Ok(source),
        several => Err(format!(
            "{:?} is the name of {} sources on {}; name one by its path: {}",
            typed,
            several.len(),
            shown(host),
            list(several.iter().map(|source| source.path.as_str())),
        )),
    }
}

/// The sources of a host, or of all, and of those the ones that have this path or this name.
/// `here` is this host with what was typed as a path of it.
///
/// # Errors
/// What is wrong with what was typed: nothing has that name.
pub(in crate::commands) fn find_all<'a>(
    sources: &'a [ListedSource],
    host: Option<&str>,
    typed: Option<&str>,
    here: Option<(&str, &str)>,
) -> Result<Vec<&'a ListedSource>, String> {
    let of_host: Vec<_> =
        sources.iter().filter(|source| host.is_none_or(|host| source.host == host)).collect();
    if let Some(host) = host
        && of_host.is_empty()
    {
        return Err(unknown_host(sources, host));
    }
    let Some(typed) = typed else { return Ok(of_host) };
    let those = |is_meant: &dyn Fn(&ListedSource) -> bool| -> Vec<&'a ListedSource> {
        of_host.iter().copied().filter(|source| is_meant(source)).collect()
    };
    let is_here = |source: &ListedSource| here == Some((&source.host, &source.path));
    let found = [
        those(&|source| source.path == typed),
        those(&is_here),
        those(&|source| source.name == typed),
    ];
    match (found.into_iter().find(|found| !found.is_empty()), host) {
        (Some(found), _) => Ok(found),
        (None, Some(host)) => Err(unknown(sources, &of_host, host, typed)),
        (None, None) => Err(unknown(&[], &of_host, "any host", typed)),
    }
}

/// That nothing was read on a host, and which one may have been meant.
pub(super) fn unknown_host(sources: &[ListedSource], typed: &str) -> String {
    let hosts = sources.iter().map(|source| source.host.as_str());
    match nearest(typed, hosts) {
        Some(near) => format!("there is no source of a host {typed:?}; did you mean {near:?}?"),
        None => format!("there is no source of a host {typed:?}; see: tripline source list"),
    }
}

/// Which sources of one host lie at paths at which another host has one too.
pub(super) fn on_both<'a>(sources: &'a [ListedSource], one: &str, other: &str) -> Vec<&'a str> {
    let of = |host| sources.iter().filter(move |source| source.host == host);
    of(one)
        .map(|source| source.path.as_str())
        .filter(|path| of(other).any(|source| source.path == *path))
        .collect()
}

/// Names for a message, of which not all need stand there.
pub(super) fn list<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let left_out = names.len().saturating_sub(LISTED);
    let mut listed: Vec<_> = names.take(LISTED).map(shown).collect();
    if left_out > 0 {
        listed.push(format!("and {left_out} more"));
    }
    listed.join(", ")
}

/// That no source of the host has that name, and what may have been meant.
fn unknown(sources: &[ListedSource], of_host: &[&ListedSource], host: &str, typed: &str) -> String {
    let there_is_none = format!("there is no source {typed:?} on {}", shown(host));
    let is_typed = |source: &&ListedSource| source.path == typed || source.name == typed;
    if let Some(other) = sources.iter().find(is_typed) {
        return format!("{there_is_none}, but on {0}: add --host {0}", shown(&other.host));
    }
    let file_name = of_host
        .iter()
        .map(|source| source.path.as_str())
        .find(|path| path.rsplit('/').next() == Some(typed));
    let names = of_host.iter().flat_map(|source| [source.name.as_str(), source.path.as_str()]);
    match file_name.or_else(|| nearest(typed, names)) {
        Some(near) => format!("{there_is_none}; did you mean {near:?}?"),
        None => format!("{there_is_none}; see: tripline source list"),
    }
}

fn shown(text: &str) -> String {
    visible::line(text, 200)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn source(host: &str, name: &str, path: &str) -> ListedSource {
        ListedSource {
            id: 0,
            name: name.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            format: "auto".to_owned(),
            timezone: "UTC".to_owned(),
            first_seen_at: DateTime::<Utc>::UNIX_EPOCH,
            last_entry_at: None,
            lines: 0,
            alerts: 0,
        }
    }

    fn sources() -> Vec<ListedSource> {
        vec![
            source("web1", "app", "/var/log/app.log"),
            source("web1", "/var/log/db.log", "/var/log/db.log"),
            source("web1", "workers", "/srv/1.log"),
            source("web1", "workers", "/srv/2.log"),
            // A name that is another one's path.
            source("web1", "/srv/1.log", "/srv/3.log"),
            source("web2", "app", "/var/log/app.log"),
            source("web2", "batch", "/var/log/batch.log"),
        ]
    }

    /// The path of the source, or what is said instead.
    fn check(host: &str, typed: &str, expected: &str) {
        let sources = sources();
        let absolute = format!("/var/log/{typed}");
        let found = find(&sources, host, typed, Some(&absolute));
        let found = found.map_or_else(|message| message, |source| source.path.clone());
        assert_eq!(found, expected, "{host} {typed}");
    }

    #[test]
    fn a_path_or_a_name_is_enough() {
        check("web1", "app", "/var/log/app.log");
        check("web1", "/var/log/app.log", "/var/log/app.log");
        check("web1", "db.log", "/var/log/db.log");
        check("web2", "batch", "/var/log/batch.log");
        check("web1", "/srv/1.log", "/srv/1.log");
    }

    #[test]
    fn what_is_not_one_source_is_explained() {
        check(
            "web1",
            "workers",
            "\"workers\" is the name of 2 sources on web1; name one by its path: /srv/1.log, \
             /srv/2.log",
        );
        check(
            "web1",
            "batch",
            "there is no source \"batch\" on web1, but on web2: add --host web2",
        );
        check(
            "web1",
            "wrokers",
            "there is no source \"wrokers\" on web1; did you mean \"workers\"?",
        );
        check(
            "web1",
            "2.log",
            "there is no source \"2.log\" on web1; did you mean \"/srv/2.log\"?",
        );
        check(
            "web1",
            "/var/log/ap.log",
            "there is no source \"/var/log/ap.log\" on web1; did you mean \"/var/log/app.log\"?",
        );
        check("web3", "x", "there is no source \"x\" on web3; see: tripline source list");
    }

    /// Host and path of each of the sources, or what is said instead.
    fn check_all(host: Option<&str>, typed: Option<&str>, expected: &str) {
        let sources = sources();
        let absolute = format!("/var/log/{}", typed.unwrap_or_default());
        let found = find_all(&sources, host, typed, Some(("web1", &absolute)));
        let shown = |found: Vec<&ListedSource>| {
            let named = found.iter().map(|source| format!("{}:{}", source.host, source.path));
            named.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found.map_or_else(|message| message, shown), expected, "{host:?} {typed:?}");
    }

    #[test]
    fn all_sources_of_a_name_are_found() {
        check_all(None, Some("app"), "web1:/var/log/app.log web2:/var/log/app.log");
        check_all(Some("web2"), Some("app"), "web2:/var/log/app.log");
        check_all(None, Some("workers"), "web1:/srv/1.log web1:/srv/2.log");
        check_all(None, Some("/srv/1.log"), "web1:/srv/1.log");
        check_all(None, Some("db.log"), "web1:/var/log/db.log");
        check_all(Some("web2"), None, "web2:/var/log/app.log web2:/var/log/batch.log");
        check_all(
            None,
            Some("wrokers"),
            "there is no source \"wrokers\" on any host; did you mean \"workers\"?",
        );
        check_all(
            Some("web1"),
            Some("batch"),
            "there is no source \"batch\" on web1, but on web2: add --host web2",
        );
        check_all(
            Some("web3"),
            None,
            "there is no source of a host \"web3\"; did you mean \"web1\"?",
        );
    }

    #[test]
    fn a_long_list_ends_with_how_many_more_there_are() {
        let names: Vec<String> = (0..12).map(|number| number.to_string()).collect();
        assert_eq!(
            list(names.iter().map(String::as_str)),
            "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, and 2 more"
        );
    }

    #[test]
    fn hosts_are_compared_and_suggested() {
        assert_eq!(on_both(&sources(), "web1", "web2"), ["/var/log/app.log"]);
        assert_eq!(
            unknown_host(&sources(), "wbe1"),
            "there is no source of a host \"wbe1\"; did you mean \"web1\"?"
        );
        assert_eq!(
            unknown_host(&sources(), "db"),
            "there is no source of a host \"db\"; see: tripline source list"
        );
    }
}
