//! `tripline entries`: what is stored of the logs.

use std::io::{self, Write};
use std::path;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;

use super::session::{Session, UsageError};
use super::source::find;
use crate::cli::{Entries, Global};
use crate::duration;
use crate::model::{Level, Tick};
use crate::report::entries::{self, Wanted};
use crate::report::sources;
use crate::store::pattern;
use crate::store::transaction::{Patience, transaction};

pub(super) fn run(
    global: &Global,
    arguments: &Entries,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut wanted = Wanted {
        sources: None,
        since: moment("--since", arguments.since.as_deref(), tick)?,
        until: moment("--until", arguments.until.as_deref(), tick)?,
        levels: levels(&arguments.levels)?,
        pattern: arguments.pattern.clone(),
        fields: arguments.fields.clone(),
        limit: i64::from(arguments.limit),
    };
    let session = Session::new(global)?;
    let mut connection = session.connect()?;
    if let Some(pattern) = &wanted.pattern
        && let Some(message) = pattern::objection(&mut connection, pattern)?
    {
        return Err(UsageError(format!(
            "--pattern {pattern:?} is no regular expression of PostgreSQL: {message}"
        ))
        .into());
    }
    wanted.sources = source_ids(&session, &mut connection, arguments)?;
    let write = match (arguments.top, arguments.output.json) {
        (false, false) => entries::write_table,
        (false, true) => entries::write_json,
        (true, false) => entries::write_top_table,
        (true, true) => entries::write_top_json,
    };
    let written: io::Result<()> =
        transaction(&mut connection, Patience::Endless, |c| write(c, &wanted, stdout))?;
    Ok(written?)
}

/// A time, or how long before the tick one was.
pub(super) fn moment(
    option: &str,
    text: Option<&str>,
    tick: Tick,
) -> Result<Option<DateTime<Utc>>, UsageError> {
    let Some(text) = text else { return Ok(None) };
    let back = |text| tick.0.checked_sub_signed(duration::parse(text).ok()?);
    match text.parse().ok().or_else(|| back(text)) {
        Some(moment) => Ok(Some(moment)),
        None => Err(UsageError(format!(
            "{option} {text:?} is no time; write it like 2026-01-01T12:00:00Z, or how long ago \
             it was like 90s, 5m, 1h30m or 2d"
        ))),
    }
}

fn levels(names: &[String]) -> Result<Vec<Level>, UsageError> {
    let level = |name: &String| name.to_uppercase().parse::<Level>();
    names.iter().map(level).collect::<Result<_, _>>().map_err(|error| UsageError(error.to_string()))
}

/// The sources that the command line names; `None`: all.
fn source_ids(
    session: &Session,
    connection: &mut PgConnection,
    arguments: &Entries,
) -> anyhow::Result<Option<Vec<i64>>> {
    let host = arguments.host.as_deref();
    if arguments.source.is_none() && host.is_none() {
        return Ok(None);
    }
    let listed = transaction(connection, Patience::Long, sources::list)?;
    // A relative path is one of this host.
    let absolute = arguments.source.as_ref().and_then(|typed| path::absolute(typed).ok());
    let here = absolute.as_deref().and_then(|path| path.to_str());
    let here = here.map(|path| (session.host.as_str(), path));
    let found = find::find_all(&listed, host, arguments.source.as_deref(), here);
    Ok(Some(found.map_err(UsageError)?.iter().map(|source| source.id).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_a_length_before_the_tick() {
        let tick = Tick("2026-01-15T12:00:00Z".parse().unwrap());
        let read = |text| {
            moment("--since", Some(text), tick)
                .map(|moment| moment.unwrap().to_rfc3339())
                .map_err(|error| error.to_string())
        };
        assert_eq!(read("1h30m").unwrap(), "2026-01-15T10:30:00+00:00");
        assert_eq!(read("0s").unwrap(), "2026-01-15T12:00:00+00:00");
        assert_eq!(read("2026-01-15T12:00:00+02:00").unwrap(), "2026-01-15T10:00:00+00:00");
        for text in ["", "yesterday", "5", "-1h", "99999999999999d", "2026-01-15 12:00"] {
            assert!(read(text).unwrap_err().contains("is no time; write it like"), "{text}");
        }
        assert_eq!(moment("--until", None, tick).unwrap(), None);
    }
}
