//! Rows: everything that is written to and read from the tables of `migrations/`.
//!
//! In: values of [`crate::model`]. Out: the same, or a [`StoreError`]. No decision is taken
//! here about logs, rules or messages; SQL that is longer than a line or two lies beside its
//! function as a `.sql` file.

pub mod alerts;
pub mod binary_copy;
pub mod chunk;
pub mod connection;
pub mod dirty;
pub mod generations;
pub mod housekeeping;
pub mod journal;
pub mod migrations;
pub mod notes;
pub mod notifications;
pub mod partitions;
pub mod pattern;
pub mod runs;
#[allow(missing_docs, clippy::wildcard_imports, reason = "generated")]
pub mod schema;
pub mod silences;
pub mod sources;
pub mod storms;
pub mod tails;
pub mod transaction;

use chrono::{DateTime, Utc};
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use self::transaction::Locker;
use crate::model::{EventTime, Level, Trace};

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
    #[error("{}", on_one_line(.0))]
    Database(DieselError),
    /// A migration failed.
    #[error("cannot migrate the database: {0}")]
    Migration(String),
    /// The connection broke while entries were on their way.
    #[error("lost the connection to the database: {}", lines_joined(&.0.to_string()))]
    Connection(std::io::Error),
    /// Somebody else keeps a lock that is needed.
    #[error("waited too long for a lock on tripline's tables{}", of(.0.as_ref()))]
    Locked(Option<Locker>),
    /// Another run has moved the place of this source meanwhile.
    #[error("another run reads this source")]
    Overtaken,
    /// A value in the database that this program does not know.
    #[error("the database holds {0:?} where a {1} should be")]
    UnknownValue(String, &'static str),
}

// Not `#[from]`, which would make it a cause as well: the message says all of it already.
impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl StoreError {
    /// Whether it is of no use to go on with another source: the connection is gone, or somebody
    /// has locked what all of them need.
    pub fn stops_everything(&self) -> bool {
        self.is_lost_connection() || matches!(self, Self::Locked(_))
    }

    /// Whether a statement has waited too long for somebody else.
    pub fn is_lock_timeout(&self) -> bool {
        let Self::Database(DieselError::DatabaseError(_, information)) = self else { return false };
        information.message().contains("lock timeout")
    }

    /// Whether no further statement can work, because the connection is gone.
    pub fn is_lost_connection(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Connection(_) => true,
            Self::Database(error) => is_lost_connection(error),
            _ => false,
        }
    }
}

fn is_lost_connection(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(kind, _) => {
            use DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
            matches!(kind, ClosedConnection | UnableToSendCommand)
        }
        DieselError::BrokenTransactionManager => true,
        DieselError::RollbackErrorOnCommit { rollback_error, commit_error } => {
            is_lost_connection(rollback_error) || is_lost_connection(commit_error)
        }
        _ => false,
    }
}

/// The server's message with its detail, on one line.
fn on_one_line(error: &DieselError) -> String {
    let what =
        if is_lost_connection(error) { "lost the connection to the database" } else { "database" };
    let said = match error {
        DieselError::DatabaseError(_, information) => match information.details() {
            Some(details) => format!("{} ({details})", information.message().trim_end()),
            None => information.message().trim_end().to_owned(),
        },
        other => other.to_string(),
    };
    format!("{what}: {}", lines_joined(&said))
}

/// Who it is that others wait for, as the end of a message.
fn of(locker: Option<&Locker>) -> String {
    let words = "; the oldest transaction that uses them is that of";
    locker.map_or_else(String::new, |locker| format!("{words} {locker}"))
}

/// The lines of a message on one line. What the client library guesses on indented lines is
/// left out: our hint says it better.
fn lines_joined(message: &str) -> String {
    let lines = message.lines().filter(|line| !line.starts_with('\t')).map(str::trim);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
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

fn parse_trace(name: &str) -> Result<Trace, StoreError> {
    let known = Trace::ALL.into_iter().find(|trace| trace.as_str() == name);
    known.ok_or_else(|| StoreError::UnknownValue(name.to_owned(), "kind of stack trace"))
}
