//! What came of a run, against what was expected of it.

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text, Timestamptz};

use super::case::{Expected, ExpectedAlert, State};
use crate::store::StoreError;

/// An alert, and what was said about it.
#[derive(QueryableByName)]
struct FoundAlert {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    group: String,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Double)]
    measured: f64,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Bool)]
    is_over: bool,
    #[diesel(sql_type = Bool)]
    is_announced: bool,
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

/// The number of the last message that was written, so that those of a run can be told.
pub(super) fn last_message(connection: &mut PgConnection) -> Result<i64, StoreError> {
    count(connection, "select coalesce(max(id), 0) as count from notifications")
}

/// What the database says other than expected, one text each; none if all is as expected.
///
/// `last_message` is that of before the run.
pub(super) fn differences(
    connection: &mut PgConnection,
    last_message: i64,
    expected: &Expected,
) -> Result<Vec<String>, StoreError> {
    let mut found = diesel::sql_query(include_str!("announced.sql"))
        .bind::<BigInt, _>(last_message)
        .load::<FoundAlert>(connection)?;
    found.extend(diesel::sql_query(include_str!("live.sql")).load::<FoundAlert>(connection)?);
    let mut differences = Vec::new();
    for (kind, wanted) in
        [("fired", &expected.fired), ("resolved", &expected.resolved), ("alerts", &expected.alerts)]
    {
        if let Some(wanted) = wanted {
            let found: Vec<&FoundAlert> = found.iter().filter(|alert| alert.kind == kind).collect();
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
    for (what, wanted, query) in [
        ("entry_count", expected.entry_count, "select count(*) from log_entries"),
        (
            "unparsed_lines",
            expected.unparsed_lines,
            "select coalesce(sum(unparsed_lines), 0)::bigint as count from ingest_state",
        ),
        ("gaps", expected.gaps, "select count(*) from ingest_gaps"),
    ] {
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

/// Gives each expected alert one that fits it, and names what is left on both sides.
fn compare_alerts(kind: &str, wanted: &[ExpectedAlert], found: &[&FoundAlert]) -> Vec<String> {
    let (missing, left) = pair(wanted, found, |wanted, found| fits(wanted, found));
    let missing = missing.into_iter().map(expected_line);
    let left = left.into_iter().map(|alert| found_line(alert));
    lines(kind, missing, left)
}

/// The entries as lines of a diff, without those that are the same.
fn compare_entries(wanted: &[String], found: &[String]) -> Vec<String> {
    let (missing, left) = pair(wanted, found, |wanted, found| wanted == found);
    let quoted = |entry: &String| format!("{entry:?}");
    lines("entries", missing.into_iter().map(quoted), left.into_iter().map(quoted))
}

fn lines(
    what: &str,
    missing: impl Iterator<Item = String>,
    left: impl Iterator<Item = String>,
) -> Vec<String> {
    let missing = missing.map(|text| format!("{what}: expected {text}"));
    missing.chain(left.map(|text| format!("{what}: found    {text}"))).collect()
}

/// Gives as many of `wanted` as possible one of `found` each, and returns the rest of both.
///
/// One that says little fits many: taking the first for it could leave nothing for one that
/// says more. So one that finds its own taken has the other look for another (augmenting
/// paths).
fn pair<'a, A, B>(
    wanted: &'a [A],
    found: &'a [B],
    fits: impl Fn(&A, &B) -> bool,
) -> (Vec<&'a A>, Vec<&'a B>) {
    fn place<A, B>(
        wanted: &[A],
        found: &[B],
        fits: &impl Fn(&A, &B) -> bool,
        one: usize,
        tried: &mut [bool],
        taken_by: &mut [Option<usize>],
    ) -> bool {
        for other in 0..found.len() {
            if tried[other] || !fits(&wanted[one], &found[other]) {
                continue;
            }
            tried[other] = true;
            if taken_by[other]
                .is_none_or(|holder| place(wanted, found, fits, holder, tried, taken_by))
            {
                taken_by[other] = Some(one);
                return true;
            }
        }
        false
    }
    let mut taken_by = vec![None; found.len()];
    let missing = (0..wanted.len())
        .filter(|&one| {
            !place(wanted, found, &fits, one, &mut vec![false; found.len()], &mut taken_by)
        })
        .map(|one| &wanted[one])
        .collect();
    let left = found.iter().zip(&taken_by).filter(|(_, by)| by.is_none()).map(|(other, _)| other);
    (missing, left.collect())
}

fn fits(wanted: &ExpectedAlert, found: &FoundAlert) -> bool {
    wanted.rule == found.rule
        && wanted.source.as_ref().is_none_or(|source| *source == found.source)
        && wanted.started_at.is_none_or(|time| time == found.started_at)
        && wanted.group.as_ref().is_none_or(|group| *group == found.group)
        && wanted.ended_at.is_none_or(|time| Some(time) == found.ended_at)
        && wanted.measured.is_none_or(|measured| (measured - found.measured).abs() < 0.001)
        && wanted.number.is_none_or(|number| number == found.number)
        && wanted.state.is_none_or(|state| state == found.state())
}

impl FoundAlert {
    fn state(&self) -> State {
        match (self.is_over, self.is_announced) {
            (true, _) => State::Resolved,
            (false, true) => State::Firing,
            (false, false) => State::Pending,
        }
    }
}

fn expected_line(alert: &ExpectedAlert) -> String {
    let source = alert.source.as_ref().map(|source| format!(" on {source}"));
    let started = alert.started_at.map(|time| format!(", started {}", rfc3339(time)));
    let ended = alert.ended_at.map(|time| format!(", ended {}", rfc3339(time)));
    let measured = alert.measured.map(|measured| format!(", measured {measured}"));
    let number = alert.number.map(|number| format!(", number {number}"));
    let state = alert.state.map(|state| match state {
        State::Pending => ", pending".to_owned(),
        State::Firing => ", firing".to_owned(),
        State::Resolved => ", resolved".to_owned(),
    });
    let group = alert.group.as_ref().map(|group| format!(" for {group}"));
    let details = [source, group, started, ended, measured, number, state];
    details.into_iter().flatten().fold(alert.rule.clone(), |line, detail| line + &detail)
}

fn found_line(alert: &FoundAlert) -> String {
    expected_line(&ExpectedAlert {
        rule: alert.rule.clone(),
        source: Some(alert.source.clone()),
        started_at: Some(alert.started_at),
        ended_at: alert.ended_at,
        group: Some(alert.group.clone()).filter(|group| !group.is_empty()),
        measured: Some(alert.measured),
        number: Some(alert.number),
        state: Some(alert.state()),
    })
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

    fn found(rule: &str, second: u32) -> FoundAlert {
        FoundAlert {
            kind: "fired".to_owned(),
            rule: rule.to_owned(),
            source: "/var/log/app.log".to_owned(),
            started_at: format!("2026-01-01T00:00:{second:02}Z").parse().unwrap(),
            group: String::new(),
            ended_at: Some(format!("2026-01-01T00:05:{second:02}Z").parse().unwrap()),
            measured: 1.0,
            number: 1,
            is_over: false,
            is_announced: true,
        }
    }

    fn wanted(rule: &str, measured: Option<f64>) -> ExpectedAlert {
        ExpectedAlert {
            rule: rule.to_owned(),
            source: None,
            group: None,
            started_at: None,
            ended_at: None,
            measured,
            number: None,
            state: None,
        }
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_named() {
        let differences = compare_alerts(
            "fired",
            &[wanted("fatal", None), wanted("fatal", Some(3.0))],
            &[&found("fatal", 5), &found("burst", 7)],
        );
        expect![[r"
            fired: expected fatal, measured 3
            fired: found    burst on /var/log/app.log, started 2026-01-01T00:00:07Z, ended 2026-01-01T00:05:07Z, measured 1, number 1, firing"]]
        .assert_eq(&differences.join("\n"));
    }

    #[test]
    fn an_empty_list_asserts_silence() {
        assert_eq!(compare_alerts("fired", &[], &[]).len(), 0);
        assert_eq!(compare_alerts("fired", &[], &[&found("fatal", 5)]).len(), 1);
    }

    #[test]
    fn an_alert_that_says_little_leaves_the_others_to_those_that_say_more() {
        let wanted = [wanted("fatal", None), wanted("fatal", Some(1.0))];
        let other = FoundAlert { measured: 2.0, ..found("fatal", 9) };
        for found in [[&found("fatal", 5), &other], [&other, &found("fatal", 5)]] {
            assert_eq!(compare_alerts("fired", &wanted, &found), Vec::<String>::new());
        }
    }
}
