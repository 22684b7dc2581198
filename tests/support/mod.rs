//! A real PostgreSQL database for each test.
//!
//! ```ignore
//! mod support;
//!
//! let database = support::TestDatabase::new();
//! let mut connection = database.connect();      // or give database.url() to the program
//! ```
//!
//! The database is a copy of a template to which the migrations were applied once, and is
//! dropped when the value is. The server is a throw-away private PostgreSQL of this checkout
//! (see `server.rs`), or the one that `TEST_DATABASE_URL` names: a URL whose role may create
//! databases. Without either the test fails and says what to run.
//!
//! A test process that is killed leaves its database behind. It also ends its connection, and
//! with that the advisory lock by which a database in use is known: the next test process
//! drops every database of ours that nobody has locked.

#![allow(dead_code, reason = "no test binary uses all of it")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails where its database does"
)]

pub(crate) mod program;
pub(crate) mod programs;
pub(crate) mod proxy;
pub(crate) mod random;
pub(crate) mod rights;
mod server;
mod template;

use std::sync::{Mutex, PoisonError};

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

/// Brings the database at `url` to the schema that the tests expect.
fn migrate(url: &str) {
    let mut connection = PgConnection::establish(url).unwrap();
    tripline::store::migrations::run(&mut connection).unwrap();
}

/// A database of one test's own.
pub(crate) struct TestDatabase {
    pub(crate) name: String,
    url: String,
    /// Holds the advisory lock that keeps other test processes from dropping the database.
    server: Mutex<PgConnection>,
}

impl TestDatabase {
    /// Creates a database with the current schema and no rows.
    ///
    /// # Panics
    /// If there is no PostgreSQL; the message says what to run.
    pub(crate) fn new() -> Self {
        Self::made_by(template::copy_to)
    }

    /// Creates a copy of the database of that name, to which nobody is connected.
    pub(crate) fn copy_of(original: &str) -> Self {
        Self::made_by(|server, name| template::copy(server, original, name))
    }

    fn made_by(make: impl FnOnce(&mut PgConnection, &str)) -> Self {
        let mut server = server::connect();
        template::sweep_once(&mut server);
        // The server knows a name that no other host has chosen.
        let name = text(&mut server, "select replace(gen_random_uuid()::text, '-', '') as value");
        let name = format!("{}{name}", template::PREFIX);
        lock(&mut server, &name);
        make(&mut server, &name);
        let url = server::url_of(&name);
        Self { name, url, server: Mutex::new(server) }
    }

    /// The URL of the database. It may hold a password: do not print it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A new connection to the database.
    pub(crate) fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.url).expect("connect to the test database")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // `force`: a program under test may still hang on to it.
        let statement = format!("drop database if exists {} with (force)", self.name);
        let server = self.server.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = diesel::sql_query(statement).execute(server) {
            eprintln!("cannot drop {}, the next test will: {error}", self.name);
        }
    }
}

/// How many random cases to try: `default`, or what `TRIPLINE_TEST_CASES` says.
pub(crate) fn cases(default: usize) -> usize {
    let cases = std::env::var("TRIPLINE_TEST_CASES").ok().filter(|cases| !cases.is_empty());
    cases.map_or(default, |cases| cases.parse().expect("TRIPLINE_TEST_CASES is a number"))
}

/// Sweeps until the named database is gone.
///
/// The server notices the end of a killed process a moment later than whoever waited for it.
pub(crate) fn sweep_until_gone(name: &str) {
    let mut server = server::connect();
    let exists = "select exists (select from pg_database where datname = $1) as value";
    while holds(&mut server, exists, name) {
        template::sweep(&mut server);
    }
}

#[derive(QueryableByName)]
struct TextValue {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct BoolValue {
    #[diesel(sql_type = Bool)]
    value: bool,
}

/// The column `value` of the only row.
fn text(connection: &mut PgConnection, statement: &str) -> String {
    let row: TextValue = diesel::sql_query(statement).get_result(connection).expect(statement);
    row.value
}

/// The same for a condition on a name.
fn holds(connection: &mut PgConnection, statement: &str, name: &str) -> bool {
    let row: BoolValue =
        diesel::sql_query(statement).bind::<Text, _>(name).get_result(connection).expect(statement);
    row.value
}

/// Runs a statement without a result.
fn execute(connection: &mut PgConnection, statement: &str) {
    diesel::sql_query(statement).execute(connection).expect(statement);
}

/// Takes the advisory lock of a name until the connection ends.
fn lock(connection: &mut PgConnection, name: &str) {
    advisory(connection, "pg_advisory_lock", name);
}

/// Calls one of PostgreSQL's functions for advisory locks that return nothing of interest.
fn advisory(connection: &mut PgConnection, function: &str, name: &str) {
    diesel::sql_query(format!("select {function}(hashtextextended($1, 0))"))
        .bind::<Text, _>(name)
        .execute(connection)
        .expect(function);
}
