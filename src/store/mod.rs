//! Rows: everything that is written to and read from the tables of `migrations/`.
//!
//! In: values of [`crate::model`]. Out: the same, or a [`StoreError`]. No decision is taken
//! here about logs, rules or messages; SQL that is longer than a line or two lies beside its
//! function as a `.sql` file.

pub mod binary_copy;
pub mod chunk;
pub mod connection;
pub mod dirty;
pub mod migrations;
pub mod partitions;
pub mod runs;
#[allow(missing_docs, clippy::wildcard_imports, reason = "generated")]
pub mod schema;
pub mod sources;

use chrono::{DateTime, Utc};
use diesel::result::Error as DieselError;

use crate::model::{EventTime, Level};

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection.
    #[error("cannot connect to the database ({origin}): {message}")]
    Connect {
        /// Where the address came from; never the address itself, which may hold a password.
        origin: String,
        /// What the server or the client library said, without the password.
        message: String,
    },
    /// A statement failed.
    #[error("{}", without_hint(.0))]
    Database(#[from] DieselError),
    /// A migration failed.
    #[error("cannot migrate the database: {0}")]
    Migration(String),
    /// The connection broke while entries were on their way.
    #[error("the connection to the database broke: {0}")]
    Connection(std::io::Error),
    /// Another run has moved the place of this source meanwhile.
    #[error("another run reads this source")]
    Overtaken,
    /// A value in the database that this program does not know.
    #[error("the database holds {0:?} where a {1} should be")]
    UnknownValue(String, &'static str),
}

/// The server's message with its detail, on one line.
fn without_hint(error: &DieselError) -> String {
    match error {
        DieselError::DatabaseError(_, information) => match information.details() {
            Some(details) => format!("{} ({details})", information.message().trim_end()),
            None => information.message().trim_end().to_owned(),
        },
        other => other.to_string(),
    }
}

/// A file's numbers and hashes use all 64 bits; PostgreSQL's bigint is signed.
fn to_bigint(number: u64) -> i64 {
    number.cast_signed()
}

fn from_bigint(number: i64) -> u64 {
    number.cast_unsigned()
}

fn to_timestamps(times: impl Iterator<Item = EventTime>) -> Vec<DateTime<Utc>> {
    times.map(EventTime::to_utc).collect()
}

fn parse_level(name: &str) -> Result<Level, StoreError> {
    name.parse().map_err(|_| StoreError::UnknownValue(name.to_owned(), "level"))
}
