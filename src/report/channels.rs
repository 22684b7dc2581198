//! The list of channels, and what came back of a test.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use serde::Serialize;

use super::table::{Column, table, text};
use super::{optional_time, shown};
use crate::store::StoreError;

/// A channel of the config.
#[derive(Clone, Debug, Serialize)]
pub struct ListedChannel {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Where it leads, without secrets.
    pub to: String,
    /// The severities that it takes; absent: all.
    pub severities: Option<Vec<&'static str>>,
    /// The channel that is used when this one fails.
    pub fallback: Option<String>,
    /// How it does; absent where there is no database, or nothing was sent so far.
    #[serde(flatten)]
    pub standing: Standing,
}

/// How a channel does.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Standing {
    /// Messages that are not delivered yet.
    pub waiting: Option<i64>,
    /// When it began to fail.
    pub failing_since: Option<DateTime<Utc>>,
    /// Why it fails.
    pub last_error: Option<String>,
    /// When it last delivered.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// What came back of a test message.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelTest {
    /// The channel.
    pub channel: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The message's key.
    pub key: String,
    /// The message's headline.
    pub title: String,
    /// Whether the other side took it.
    pub delivered: bool,
    /// What the other side said, where it says something.
    pub answer: Option<String>,
    /// Who has not got it, where others have.
    pub remark: Option<String>,
    /// Why it was not delivered.
    pub error: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

/// How the channels of a host do, by their names.
pub fn standings(
    connection: &mut PgConnection,
    host: &str,
) -> Result<BTreeMap<String, Standing>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        channel: String,
        #[diesel(sql_type = BigInt)]
        waiting: i64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        failing_since: Option<DateTime<Utc>>,
        #[diesel(sql_type = Nullable<Text>)]
        last_error: Option<String>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        delivered_at: Option<DateTime<Utc>>,
    }
    let rows: Vec<Row> =
        diesel::sql_query(include_str!("channels.sql")).bind::<Text, _>(host).load(connection)?;
    let standing = |row: Row| {
        let Row { channel, waiting, failing_since, last_error, delivered_at } = row;
        let waiting = Some(waiting);
        (channel, Standing { waiting, failing_since, last_error, delivered_at })
    };
    Ok(rows.into_iter().map(standing).collect())
}

/// Writes the list as a table.
///
/// # Errors
/// When the output takes nothing.
pub fn write_table(channels: &[ListedChannel], out: &mut dyn Write) -> io::Result<()> {
    let mut table = table(&[
        ("CHANNEL", Column::Name),
        ("TYPE", Column::Word),
        ("TO", Column::Name),
        ("SEVERITIES", Column::Word),
        ("FALLBACK", Column::Name),
        ("WAITING", Column::Number),
        ("FAILING", Column::Word),
    ]);
    for channel in channels {
        let waiting = channel.standing.waiting;
        table.add_row([
            shown(&channel.name),
            channel.kind.to_owned(),
            shown(&channel.to),
            channel.severities.as_ref().map_or_else(|| "all".to_owned(), |some| some.join(",")),
            channel.fallback.as_deref().map_or_else(|| "-".to_owned(), shown),
            waiting.map_or_else(|| "-".to_owned(), |waiting| waiting.to_string()),
            optional_time(channel.standing.failing_since),
        ]);
    }
    writeln!(out, "{}", text(&table))
}

/// Says what came back of a test message that was delivered.
///
/// # Errors
/// When the output takes nothing.
pub fn write_test(test: &ChannelTest, out: &mut dyn Write) -> io::Result<()> {
    let ChannelTest { channel, kind, key, title, .. } = test;
    writeln!(out, "{} ({kind}) took the test message {key}: {}", shown(channel), shown(title))?;
    if let Some(answer) = &test.answer {
        writeln!(out, "it said: {}", shown(answer))?;
    }
    Ok(())
}
