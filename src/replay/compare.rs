//! What came of a run, against what was expected of it.

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz};

use super::case::{Expected, ExpectedAlert};
use crate::store::StoreError;

/// An alert that a run announced.
#[derive(QueryableByName)]
struct Announced {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    ended_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    measured: i64,
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Timestamptz)]
    logged_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    level: String,
    #[diesel(sql_type = Text)]
    message: String,
}

/// The differences, one text each; none if all is as expected.
pub(super) fn differences(
    connection: &mut PgConnection,
    tick: DateTime<Utc>,
    expected: &Expected,
) -> Result<Vec<String>, StoreError> {
    let mut differences = Vec::new();
    let announced = diesel::sql_query(include_str!("announced.sql"))
        .bind::<Timestamptz, _>(tick)
        .load::<Announced>(connection)?;
    for (kind, wanted) in [("fired", &expected.fired), ("resolved", &expected.resolved)] {
        if let Some(wanted) = wanted {
            let found: Vec<&Announced> =
                announced.iter().filter(|alert| alert.kind == kind).collect();
            differences.extend(compare_alerts(kind, wanted, &found));
        }
    }
    if let Some(wanted) = &expected.entries {
        let found = diesel::sql_query(
            "select logged_at, level::text as level, message
             from log_entries
             order by logged_at, source_id, line_no",
        )
        .load::<Stored>(connection)?;
        let found: Vec<String> = found.iter().map(entry_line).collect();
        differences.extend(compare_entries(wanted, &found));
    }
    let counts = [
        ("entries", expected.entry_count, "select count(*) from log_entries"),
        (
            "unparsed lines",
            expected.unparsed_lines,
            "select coalesce(sum(unparsed_lines), 0)::bigint as count from ingest_state",
        ),
    ];
    for (what, wanted, query) in counts {
        let Some(wanted) = wanted else { continue };
        let found = count(connection, query)?;
        if found != wanted {
            differences.push(format!("{what}: expected {wanted}, found {found}"));
        }
    }
    Ok(differences)
}

fn count(connection: &mut PgConnection, query: &str) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    Ok(diesel::sql_query(query).get_result::<Count>(connection)?.count)
}

/// Takes each expected alert for the first that fits it, and names what is left on both sides.
fn compare_alerts(kind: &str, wanted: &[ExpectedAlert], found: &[&Announced]) -> Vec<String> {
    let mut left: Vec<&Announced> = found.to_vec();
    let mut differences = Vec::new();
    for alert in wanted {
        match left.iter().position(|found| fits(alert, found)) {
            Some(index) => {
                left.remove(index);
            }
            None => differences.push(format!("{kind}: expected {}", expected_line(alert))),
        }
    }
    differences.extend(left.iter().map(|alert| format!("{kind}: found    {}", found_line(alert))));
    differences
}

fn fits(wanted: &ExpectedAlert, found: &Announced) -> bool {
    wanted.rule == found.rule
        && wanted.source.as_ref().is_none_or(|source| *source == found.source)
        && wanted.started_at.is_none_or(|time| time == found.started_at)
        && wanted.ended_at.is_none_or(|time| time == found.ended_at)
        && wanted.measured.is_none_or(|measured| measured == found.measured)
}

fn expected_line(alert: &ExpectedAlert) -> String {
    let source = alert.source.as_ref().map(|source| format!(" on {source}"));
    let started = alert.started_at.map(|time| format!(", started {}", rfc3339(time)));
    let ended = alert.ended_at.map(|time| format!(", ended {}", rfc3339(time)));
    let measured = alert.measured.map(|measured| format!(", measured {measured}"));
    let details = [source, started, ended, measured];
    details.into_iter().flatten().fold(alert.rule.clone(), |line, detail| line + &detail)
}

fn found_line(alert: &Announced) -> String {
    expected_line(&ExpectedAlert {
        rule: alert.rule.clone(),
        source: Some(alert.source.clone()),
        started_at: Some(alert.started_at),
        ended_at: Some(alert.ended_at),
        measured: Some(alert.measured),
    })
}

/// The entries as lines of a diff, without those that are the same.
fn compare_entries(wanted: &[String], found: &[String]) -> Vec<String> {
    let mut left: Vec<&String> = found.iter().collect();
    let mut differences = Vec::new();
    for entry in wanted {
        match left.iter().position(|found| *found == entry) {
            Some(index) => {
                left.remove(index);
            }
            None => differences.push(format!("entries: expected {entry:?}")),
        }
    }
    differences.extend(left.iter().map(|entry| format!("entries: found    {entry:?}")));
    differences
}

fn entry_line(entry: &Stored) -> String {
    format!("{} {} {}", rfc3339(entry.logged_at), entry.level, entry.message)
}

/// With the fraction of a second where there is one.
fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn found(rule: &str, second: u32) -> Announced {
        Announced {
            kind: "fired".to_owned(),
            rule: rule.to_owned(),
            source: "/var/log/app.log".to_owned(),
            started_at: format!("2026-01-01T00:00:{second:02}Z").parse().unwrap(),
            ended_at: format!("2026-01-01T00:05:{second:02}Z").parse().unwrap(),
            measured: 1,
        }
    }

    fn wanted(rule: &str, measured: Option<i64>) -> ExpectedAlert {
        ExpectedAlert {
            rule: rule.to_owned(),
            source: None,
            started_at: None,
            ended_at: None,
            measured,
        }
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_named() {
        let differences = compare_alerts(
            "fired",
            &[wanted("fatal", None), wanted("fatal", Some(3))],
            &[&found("fatal", 5), &found("burst", 7)],
        );
        expect![[r"
            fired: expected fatal, measured 3
            fired: found    burst on /var/log/app.log, started 2026-01-01T00:00:07Z, ended 2026-01-01T00:05:07Z, measured 1"]]
        .assert_eq(&differences.join("\n"));
    }

    #[test]
    fn an_empty_list_asserts_silence() {
        assert_eq!(compare_alerts("fired", &[], &[]).len(), 0);
        assert_eq!(compare_alerts("fired", &[], &[&found("fatal", 5)]).len(), 1);
    }
}
