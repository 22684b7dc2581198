//! What the name of a file says: is it a rotated file of this log, and of which age?
//!
//! A name never decides alone. It says which files are worth a look, and it is one of several
//! witnesses for their order.

use std::cmp::Ordering;

/// What a name says of a file that was rotated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    scheme: Scheme,
    /// The numbers in the name.
    key: Vec<u64>,
}

/// How the rotated files of a log are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Whether the number stands before the extension: `app-1.log`, not `app.log-1`.
    infix: bool,
    counts: Counts,
}

/// What the numbers in a name mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    /// How many rotations ago: `app.log.1` is younger than `app.log.2`.
    Rotations,
    /// Time, with the largest unit first: `app.log-20261122`, `app.log.2026-11-22.1`.
    Time,
    /// Time in another order: `app-11-22-2026.log`.
    UnknownTime,
}

/// Endings of compressed files.
const COMPRESSED: [&str; 8] = [".gz", ".xz", ".zst", ".bz2", ".lz4", ".lzma", ".zip", ".Z"];

/// What may stand in the place of a number for the only file that is kept.
const OLD: [&str; 8] = [".old", "-old", "_old", ".bak", ".prev", ".previous", ".last", "~"];

impl Rotated {
    /// What `name` says, as the name of a rotated file of the log `log`; `None` if it is
    /// none.
    pub fn read(log: &str, name: &str) -> Option<Self> {
        let name = without_compression(name);
        if let Some(rest) = name.strip_prefix(log) {
            return Self::from_rest(rest, false);
        }
        let (stem, extension) = log.split_at(log.rfind('.').filter(|at| *at > 0)?);
        Self::from_rest(name.strip_prefix(stem)?.strip_suffix(extension)?, true)
    }

    /// What `name` says, as the name of one of several dated logs like `log`, such as
    /// `app-20261122.log` beside `app-20261123.log`: the same text with other numbers.
    pub fn read_dated(log: &str, name: &str) -> Option<Self> {
        let name = without_compression(name);
        let text = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "0");
        let key = numbers(name.trim_start_matches(|c: char| !c.is_ascii_digit()))?;
        let counts = counts(&key)?;
        let is_dated = counts != Counts::Rotations && text(name) == text(log);
        is_dated.then_some(Self { scheme: Scheme { infix: true, counts }, key })
    }

    /// What the log's own name says in a folder for rotated files.
    pub fn only() -> Self {
        Self { scheme: Scheme { infix: false, counts: Counts::Rotations }, key: vec![1] }
    }

    /// `rest` is what the name has besides the log's name.
    fn from_rest(rest: &str, infix: bool) -> Option<Self> {
        if OLD.contains(&rest) {
            return Some(Self::only());
        }
        if !rest.starts_with(is_separator) || !rest.chars().all(is_separator_or_digit) {
            return None;
        }
        let key = numbers(rest)?;
        let counts = counts(&key)?;
        Some(Self { scheme: Scheme { infix, counts }, key })
    }

    /// The scheme of its name.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Which of two files was rotated first, if their names tell.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        if self.scheme != other.scheme {
            return None;
        }
        match self.scheme.counts {
            Counts::Rotations => Some(other.key.cmp(&self.key)),
            Counts::Time => Some(self.key.cmp(&other.key)),
            Counts::UnknownTime => None,
        }
    }
}

impl Scheme {
    /// Whether a name of this scheme may as well be that of another log: `worker-2.log` beside
    /// `worker.log`.
    pub fn is_ambiguous(self) -> bool {
        self.infix && self.counts == Counts::Rotations
    }
}

/// The names of logs of which a file with this name could be a rotated one.
pub fn logs_of(name: &str) -> Vec<String> {
    let name = without_compression(name);
    let mut logs = Vec::new();
    for (rest, extension) in
        [(name, "")].into_iter().chain(name.rfind('.').map(|at| name.split_at(at)))
    {
        for old in OLD {
            logs.extend(rest.strip_suffix(old).map(|stem| stem.to_owned() + extension));
        }
        let ending = rest.len() - rest.trim_end_matches(is_separator_or_digit).len();
        for at in rest.len() - ending..rest.len() {
            if rest[at..].starts_with(is_separator) {
                logs.push(rest[..at].to_owned() + extension);
            }
        }
    }
    logs.retain(|log| Rotated::read(log, name).is_some());
    logs
}

/// The numbers in a text: at least one, and none that is out of all bounds.
fn numbers(text: &str) -> Option<Vec<u64>> {
    let digits = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let key: Vec<u64> = digits.map(str::parse).collect::<Result<_, _>>().ok()?;
    (!key.is_empty()).then_some(key)
}

fn counts(key: &[u64]) -> Option<Counts> {
    // 20260101, 2026010112, ... and seconds since 1970.
    const FIRST_DAY: u64 = 19_700_101;
    let is_year = |number: &u64| (1970..2200).contains(number);
    match key {
        [first, ..] if *first >= FIRST_DAY => Some(Counts::Time),
        [year, _, ..] if is_year(year) => Some(Counts::Time),
        [_, _, year, ..] if is_year(year) => Some(Counts::UnknownTime),
        [number] if *number < 1_000_000 => Some(Counts::Rotations),
        _ => None,
    }
}

/// Whether a name ends like that of a compressed file.
pub fn is_compressed(name: &str) -> bool {
    without_compression(name) != name
}

/// A name or path without the ending of an archive.
pub(super) fn without_compression(name: &str) -> &str {
    COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | '-' | '_' | '~' | '@')
}

fn is_separator_or_digit(c: char) -> bool {
    is_separator(c) || c.is_ascii_digit() || matches!(c, ':' | 'T' | '+' | 'Z')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_are_told_by_their_names() {
        for name in [
            "app.log.1",
            "app.log.2.gz",
            "app.log-20261122",
            "app.log-20261122.zst",
            "app.log.2026-11-22.0.gz",
            "app.log-1763780400",
            "app.log.2026-11-22T10:00:00Z",
            "app.log_2026-11-22_10.xz",
            "app.log.old",
            "app.log~",
            "app-2026-11-22.log",
            "app-20261122.log.gz",
            "app.2026-11-22.log",
            "app-11-22-2026-1.log",
            "app.1.log.bz2",
            "app-1.log",
        ] {
            assert!(Rotated::read("app.log", name).is_some(), "{name}");
            assert!(logs_of(name).contains(&"app.log".to_owned()), "{name}: {:?}", logs_of(name));
        }
        for name in [
            "app.log",
            "app.log.gz",
            "app-error.log",
            "app2.log",
            "app.log2",
            "application.log",
            "app.log.1.tmp",
            "app.log.x1",
            "app-1.2.log",
            "app.log.",
            "web.log.1",
            ".app.log.1",
        ] {
            assert_eq!(Rotated::read("app.log", name), None, "{name}");
            assert!(!logs_of(name).contains(&"app.log".to_owned()), "{name}");
        }
        assert!(Rotated::read("syslog", "syslog.1").is_some());
        assert!(logs_of("node1.3").contains(&"node1".to_owned()));
    }

    #[test]
    fn a_number_before_the_extension_may_belong_to_another_log() {
        let is_ambiguous = |name| Rotated::read("app.log", name).unwrap().scheme().is_ambiguous();
        assert!(is_ambiguous("app-1.log") && is_ambiguous("app.2.log.gz"));
        assert!(!is_ambiguous("app.log.1") && !is_ambiguous("app-20261122.log"));
    }

    #[test]
    fn names_under_one_scheme_have_an_order() {
        use Ordering::{Equal, Greater, Less};
        for (one, other, expected) in [
            ("app.log.1", "app.log.2.gz", Some(Greater)),
            ("app.log.10", "app.log.9", Some(Less)),
            ("app.log.2", "app.log.2.gz", Some(Equal)),
            ("app.log-20261122", "app.log-20261121.gz", Some(Greater)),
            ("app.log.2026-11-22.1", "app.log.2026-11-22.10", Some(Less)),
            ("app.log-20261122", "app.log.1", None),
            ("app.log.1", "app-1.log", None),
            ("app-11-22-2026.log", "app-11-23-2026.log", None),
        ] {
            let read = |name| Rotated::read("app.log", name).unwrap();
            assert_eq!(read(one).compare(&read(other)), expected, "{one} and {other}");
        }
    }

    #[test]
    fn dated_logs_differ_in_their_date_only() {
        let read = |name| Rotated::read_dated("app-20261122.log", name);
        let (older, younger) = (read("app-20261121.log.gz"), read("app-20261123.log"));
        assert_eq!(older.unwrap().compare(&younger.unwrap()), Some(Ordering::Less));
        for name in ["web-20261121.log", "app-2026.log", "app.log"] {
            assert_eq!(read(name), None, "{name}");
        }
        assert_eq!(Rotated::read_dated("worker1.log", "worker2.log"), None);
    }
}
