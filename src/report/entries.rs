//! Stored entries: the newest ones, or which messages there are most of.
//!
//! Rows are taken from the connection one by one, so memory does not grow with their number.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use diesel::pg::{Pg, PgConnection, PgRowByRowLoadingMode};
use diesel::prelude::*;
use diesel::query_builder::BoxedSqlQuery;
use diesel::query_builder::SqlQuery;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz};
use serde::{Serialize, Serializer};

use super::table::{Column, table, text};
use super::{shown, time};
use crate::model::Level;
use crate::store::StoreError;

/// Which entries are asked for. `None` and an empty list stand for any.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Numbers of their sources.
    pub sources: Option<Vec<i64>>,
    /// From when on.
    pub since: Option<DateTime<Utc>>,
    /// Before when.
    pub until: Option<DateTime<Utc>>,
    /// Their levels.
    pub levels: Vec<Level>,
    /// A regular expression of PostgreSQL that is found in the message, in any line of it.
    pub pattern: Option<String>,
    /// What fields of theirs say, as text. Dots in a name reach into nested values.
    pub fields: Vec<(String, String)>,
    /// How many at most.
    pub limit: i64,
}

/// A stored entry.
#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct StoredEntry {
    /// Name of the source.
    #[diesel(sql_type = Text)]
    pub source: String,
    /// The host that reads the source.
    #[diesel(sql_type = Text)]
    #[serde(skip)]
    pub host: String,
    /// The file in which it was read.
    #[diesel(sql_type = Text)]
    pub path: String,
    /// Where it begins in that file.
    #[diesel(sql_type = BigInt)]
    pub byte_offset: i64,
    /// When it happened.
    #[diesel(sql_type = Timestamptz)]
    pub logged_at: DateTime<Utc>,
    /// Its level.
    #[diesel(sql_type = Text)]
    pub level: String,
    /// Its message, all lines.
    #[diesel(sql_type = Text)]
    pub message: String,
    /// What it says besides; an empty object where that is nothing.
    #[diesel(sql_type = Nullable<Jsonb>)]
    #[serde(serialize_with = "object")]
    pub fields: Option<serde_json::Value>,
    /// The same for messages that differ only in numbers.
    #[diesel(sql_type = BigInt)]
    pub fingerprint: i64,
}

/// Entries whose messages differ only in numbers.
#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct Shape {
    /// What they have in common.
    #[diesel(sql_type = BigInt)]
    pub fingerprint: i64,
    /// How many there are.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// Their level; the worst, should they have several.
    #[diesel(sql_type = Text)]
    pub level: String,
    /// When the first happened.
    #[diesel(sql_type = Timestamptz)]
    pub first_logged_at: DateTime<Utc>,
    /// When the last happened.
    #[diesel(sql_type = Timestamptz)]
    pub last_logged_at: DateTime<Utc>,
    /// The message of the last.
    #[diesel(sql_type = Text)]
    pub message: String,
}

#[expect(clippy::ref_option, reason = "serde hands it over so")]
fn object<S: Serializer>(
    fields: &Option<serde_json::Value>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match fields {
        Some(fields) => fields.serialize(serializer),
        None => serde_json::Map::new().serialize(serializer),
    }
}

/// Writes the entries as JSON, one object a line, the newest first.
///
/// # Errors
/// The inner one when the output takes nothing.
pub fn write_json(
    connection: &mut PgConnection,
    wanted: &Wanted,
    out: &mut dyn Write,
) -> Result<io::Result<()>, StoreError> {
    each(connection, newest(wanted, wanted.limit), |entry: StoredEntry| json_line(&entry, out))
}

/// The same with the most frequent messages, the most frequent first.
///
/// # Errors
/// The inner one when the output takes nothing.
pub fn write_top_json(
    connection: &mut PgConnection,
    wanted: &Wanted,
    out: &mut dyn Write,
) -> Result<io::Result<()>, StoreError> {
    each(connection, top(wanted, wanted.limit), |shape: Shape| json_line(&shape, out))
}

/// Writes the entries as a table, the newest first.
///
/// # Errors
/// The inner one when the output takes nothing.
pub fn write_table(
    connection: &mut PgConnection,
    wanted: &Wanted,
    out: &mut dyn Write,
) -> Result<io::Result<()>, StoreError> {
    let mut rows = Vec::new();
    // One more than is shown says whether there are more.
    let _ = each(connection, newest(wanted, wanted.limit.saturating_add(1)), |entry| {
        let StoredEntry { source, host, logged_at, level, message, .. } = entry;
        let cells = [time(logged_at), level, shown(&source), shown(first_line(&message))];
        rows.push((shown(&host), cells));
        Ok(())
    })?;
    let one_host = rows.windows(2).all(|pair| pair[0].0 == pair[1].0);
    let mut table = table(&[
        ("LOGGED AT", Column::Word),
        ("LEVEL", Column::Word),
        ("SOURCE", Column::Name),
        ("MESSAGE", Column::Name),
    ]);
    let (listed, more) = cut(&mut rows, wanted.limit);
    for (host, mut cells) in listed {
        if !one_host {
            cells[2] = format!("{host}: {}", cells[2]);
        }
        table.add_row(cells);
    }
    Ok(write_rows(&table, more, out))
}

/// Writes the most frequent messages as a table.
///
/// # Errors
/// The inner one when the output takes nothing.
pub fn write_top_table(
    connection: &mut PgConnection,
    wanted: &Wanted,
    out: &mut dyn Write,
) -> Result<io::Result<()>, StoreError> {
    let mut rows = Vec::new();
    let _ = each(connection, top(wanted, wanted.limit.saturating_add(1)), |shape: Shape| {
        rows.push([
            shape.count.to_string(),
            shape.level,
            time(shape.first_logged_at),
            time(shape.last_logged_at),
            shown(first_line(&shape.message)),
        ]);
        Ok(())
    })?;
    let mut table = table(&[
        ("COUNT", Column::Number),
        ("LEVEL", Column::Word),
        ("FIRST", Column::Word),
        ("LAST", Column::Word),
        ("LAST MESSAGE", Column::Name),
    ]);
    let (listed, more) = cut(&mut rows, wanted.limit);
    for cells in listed {
        table.add_row(cells);
    }
    Ok(write_rows(&table, more, out))
}

/// Those rows that are shown, and whether there are more.
fn cut<T>(rows: &mut Vec<T>, limit: i64) -> (std::vec::Drain<'_, T>, bool) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    (rows.drain(..), more)
}

fn write_rows(table: &comfy_table::Table, more: bool, out: &mut dyn Write) -> io::Result<()> {
    if table.is_empty() {
        return writeln!(out, "no such entry is stored");
    }
    writeln!(out, "{}", text(table))?;
    if more { writeln!(out, "\nand more; see --limit") } else { Ok(()) }
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

fn json_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

/// A statement to which everything is bound.
type Statement = BoxedSqlQuery<'static, Pg, SqlQuery>;

fn newest(wanted: &Wanted, limit: i64) -> Statement {
    statement(include_str!("entries_newest.sql"), wanted, limit)
}

fn top(wanted: &Wanted, limit: i64) -> Statement {
    statement(include_str!("entries_top.sql"), wanted, limit)
}

fn statement(select: &str, wanted: &Wanted, limit: i64) -> Statement {
    let levels: Vec<_> = wanted.levels.iter().map(|level| level.as_str().to_owned()).collect();
    let (keys, values): (Vec<String>, Vec<String>) = wanted.fields.iter().cloned().unzip();
    diesel::sql_query(format!("{}{select}", include_str!("entries_matching.sql")))
        .into_boxed::<Pg>()
        .bind::<Nullable<Array<BigInt>>, _>(wanted.sources.clone())
        .bind::<Nullable<Timestamptz>, _>(wanted.since)
        .bind::<Nullable<Timestamptz>, _>(wanted.until)
        .bind::<Nullable<Array<Text>>, _>((!levels.is_empty()).then_some(levels))
        .bind::<Nullable<Text>, _>(wanted.pattern.clone())
        .bind::<Array<Text>, _>(keys)
        .bind::<Array<Text>, _>(values)
        .bind::<BigInt, _>(limit)
}

/// Hands over each row; ends early when that fails.
fn each<Row>(
    connection: &mut PgConnection,
    statement: Statement,
    mut take: impl FnMut(Row) -> io::Result<()>,
) -> Result<io::Result<()>, StoreError>
where
    Row: QueryableByName<Pg> + 'static,
{
    for row in statement.load_iter::<Row, PgRowByRowLoadingMode>(connection)? {
        if let Err(error) = take(row?) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}
