//! Transactions that do not wait for ever, and that say for whom they have waited.
//!
//! Their settings are local to them: pgbouncer refuses others, or gives them to somebody else.

use std::fmt::{self, Display, Formatter};
use std::io;

use chrono::{DateTime, Utc};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::query_dsl::methods::{ExecuteDsl, LoadQuery};
use diesel::result::Error as DieselError;
use diesel::sql_types::{Integer, Nullable, Text, Timestamptz};

use super::{StoreError, is_lost_connection};

/// How long one statement of a transaction may take, whatever the role's settings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// For several sources at once: others may have to wait for one of them.
    Shortest,
    /// For statements that take milliseconds.
    Short,
    /// For a slice of an evaluation.
    Long,
    /// For a chunk of a log, which may have to go over a slow network.
    Longest,
    /// For what people do by hand, who can end it themselves.
    Endless,
}

impl Patience {
    fn seconds(self) -> u32 {
        match self {
            Self::Shortest => 10,
            Self::Short => 60,
            Self::Long => 120,
            Self::Longest => 600,
            Self::Endless => 0,
        }
    }
}

/// Does `work` in a transaction: all of it, or nothing if it fails. Inside of another one it is
/// a part of that.
///
/// # Errors
/// What `work` returns, but [`StoreError::Locked`] where it has waited too long for somebody
/// else.
pub fn transaction<T>(
    connection: &mut PgConnection,
    patience: Patience,
    work: impl FnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let state = AnsiTransactionManager::transaction_manager_status_mut(connection);
    if let Ok(Some(_)) = state.transaction_depth() {
        return work(connection);
    }
    let begin = begin(patience);
    let done = AnsiTransactionManager::begin_transaction_sql(connection, &begin)
        .map_err(StoreError::from)
        .and_then(|()| work(connection))
        .and_then(|value| {
            AnsiTransactionManager::commit_transaction(connection)?;
            Ok(value)
        });
    done.map_err(|error| {
        // When this fails, the connection is lost or the transaction has ended: both undo it.
        let _ = AnsiTransactionManager::rollback_transaction(connection);
        explained(connection, error)
    })
}

/// Does `work` in a transaction of which nothing stays, whatever comes of it. What it reads is
/// all of the same moment.
///
/// # Errors
/// As [`transaction`].
pub fn rolled_back<T>(
    connection: &mut PgConnection,
    patience: Patience,
    work: impl FnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let begin = begin(patience).replacen("begin;", "begin isolation level repeatable read;", 1);
    let done = AnsiTransactionManager::begin_transaction_sql(connection, &begin)
        .map_err(StoreError::from)
        .and_then(|()| work(connection));
    // As above.
    let _ = AnsiTransactionManager::rollback_transaction(connection);
    done.map_err(|error| explained(connection, error))
}

/// What a transaction begins with. One message, one round trip.
fn begin(patience: Patience) -> String {
    let timeout = patience.seconds();
    format!("{} set local statement_timeout = '{timeout}s'", include_str!("begin.sql"))
}

/// A statement that is a transaction by itself; returns how many rows it changed.
pub fn execute_alone<S>(connection: &mut PgConnection, statement: S) -> Result<usize, StoreError>
where
    S: RunQueryDsl<PgConnection> + ExecuteDsl<PgConnection>,
{
    transaction(connection, Patience::Short, |connection| Ok(statement.execute(connection)?))
}

/// The same for one that returns rows.
pub fn load_alone<'query, Row, S>(
    connection: &mut PgConnection,
    statement: S,
) -> Result<Vec<Row>, StoreError>
where
    S: RunQueryDsl<PgConnection> + LoadQuery<'query, PgConnection, Row>,
{
    transaction(connection, Patience::Short, |connection| Ok(statement.load(connection)?))
}

/// Finds out what the server does not say with an error.
fn explained(connection: &mut PgConnection, error: StoreError) -> StoreError {
    let StoreError::Database(DieselError::DatabaseError(_, information)) = &error else {
        return error;
    };
    // An error of a COPY has no kind, even if it is that of a connection that broke.
    if let Err(lost) = connection.batch_execute("select")
        && is_lost_connection(&lost)
        && !error.is_lost_connection()
    {
        return StoreError::Connection(io::Error::other(information.message().to_owned()));
    }
    if information.message().contains("lock timeout") {
        return StoreError::Locked(oldest_user(connection));
    }
    error
}

/// A session that others wait for.
#[derive(Clone, Debug, QueryableByName)]
pub struct Locker {
    /// Its process on the server.
    #[diesel(sql_type = Integer)]
    pub pid: i32,
    #[diesel(sql_type = Nullable<Text>)]
    user_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    application: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    state: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    began_at: Option<DateTime<Utc>>,
}

/// The session that we have waited for, as far as can be told afterwards.
fn oldest_user(connection: &mut PgConnection) -> Option<Locker> {
    diesel::sql_query(include_str!("oldest_user.sql")).get_result(connection).ok()
}

impl Display for Locker {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let began_at = self.began_at.map(|time| format!("since {}", time.format("%F %TZ")));
        let known = [
            self.user_name.as_ref().map(|name| format!("user {name}")),
            self.application.clone(),
            [self.state.clone(), began_at].into_iter().flatten().reduce(|a, b| format!("{a} {b}")),
        ];
        let known: Vec<String> = known.into_iter().flatten().collect();
        write!(f, "process {} ({})", self.pid, known.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_replaced_stands_there_once() {
        let begin = begin(Patience::Long);
        assert_eq!(begin.matches("begin;").count(), 1, "{begin}");
        assert!(begin.contains("statement_timeout = '120s'"), "{begin}");
    }
}
