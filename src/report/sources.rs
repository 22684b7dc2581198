//! The sources of every host, to be named in commands.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use serde::Serialize;

use super::table::{Column, table, text};
use super::{optional_time, shown};
use crate::store::StoreError;

/// A source in a list.
#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct ListedSource {
    /// Its number, which stands in the rows of other tables.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// Name from the config, else the path.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The host that reads it.
    #[diesel(sql_type = Text)]
    pub host: String,
    /// Where it is on that host.
    #[diesel(sql_type = Text)]
    pub path: String,
    /// How its lines are read.
    #[diesel(sql_type = Text)]
    pub format: String,
    /// The zone of times without a zone.
    #[diesel(sql_type = Text)]
    pub timezone: String,
    /// When it was seen for the first time.
    #[diesel(sql_type = Timestamptz)]
    pub first_seen_at: DateTime<Utc>,
    /// Event time of the last entry read.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_entry_at: Option<DateTime<Utc>>,
    /// Lines read so far.
    #[diesel(sql_type = BigInt)]
    pub lines: i64,
    /// Alerts so far.
    #[diesel(sql_type = BigInt)]
    pub alerts: i64,
}

/// Reads the list, by host and name.
pub fn list(connection: &mut PgConnection) -> Result<Vec<ListedSource>, StoreError> {
    Ok(diesel::sql_query(
        "select source.id, source.name, source.host, source.path, source.format, source.timezone,
                source.first_seen_at, state.last_logged_at as last_entry_at,
                state.line_no as lines,
                (select count(*) from alerts
                 where alerts.source_id = source.id and merged_into is null) as alerts
         from sources source
         join ingest_state state on state.source_id = source.id
         order by source.host, source.name, source.path",
    )
    .load(connection)?)
}

/// Writes the list as a table.
///
/// # Errors
/// When the output takes nothing.
pub fn write_table(sources: &[ListedSource], out: &mut dyn Write) -> io::Result<()> {
    if sources.is_empty() {
        return writeln!(out, "No source was read yet; begin with: tripline run /var/log/app.log");
    }
    let mut table = table(&[
        ("HOST", Column::Name),
        ("NAME", Column::Name),
        ("PATH", Column::Name),
        ("LINES", Column::Number),
        ("ALERTS", Column::Number),
        ("LAST ENTRY", Column::Word),
    ]);
    for source in sources {
        table.add_row([
            shown(&source.host),
            if source.name == source.path { "-".to_owned() } else { shown(&source.name) },
            shown(&source.path),
            source.lines.to_string(),
            source.alerts.to_string(),
            optional_time(source.last_entry_at),
        ]);
    }
    writeln!(out, "{}", text(&table))
}
