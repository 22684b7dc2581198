//! The schema's versions: what the database has, what this program knows, and the way there.
//!
//! The migrations are those of `migrations/`, embedded into the program; `diesel migration run`
//! applies the same files.

use std::error::Error;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::transaction::{Patience, load_alone, transaction};
use super::{StoreError, lines_joined};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// What the schema of a database is to this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Exactly the one that this program works with.
    Current,
    /// The database holds no table at all.
    Empty,
    /// The database holds tables, but none of tripline's.
    Foreign,
    /// Some migrations are not applied yet.
    Older,
    /// A newer program has migrated it, up to this version.
    Newer(String),
}

/// Says what the schema of the database is to this program.
///
/// # Errors
/// When the database does not answer.
pub fn schema(connection: &mut PgConnection) -> Result<Schema, StoreError> {
    match look(connection)? {
        // Another run may have migrated an empty database between the two questions that this
        // takes; then a second look finds our tables.
        Schema::Foreign => look(connection),
        schema => Ok(schema),
    }
}

/// Whether the schema is [`Schema::Current`], which takes one question.
///
/// # Errors
/// When the database does not answer, or lacks the table of versions.
pub fn is_current(connection: &mut PgConnection) -> Result<bool, StoreError> {
    Ok(load_versions(connection)? == known_versions()?)
}

fn look(connection: &mut PgConnection) -> Result<Schema, StoreError> {
    let Some(applied) = applied_versions(connection)? else {
        return Ok(if table_count(connection)? == 0 { Schema::Empty } else { Schema::Foreign });
    };
    let known = known_versions()?;
    // A version above the newest one that this program knows is a newer program's.
    if let Some(newer) = applied.iter().filter(|version| Some(*version) > known.last()).max() {
        return Ok(Schema::Newer(newer.clone()));
    }
    let all_applied = known.iter().all(|version| applied.contains(version));
    Ok(match (all_applied, applied.is_empty()) {
        (true, _) => Schema::Current,
        (false, true) if table_count(connection)? == 1 => Schema::Empty,
        (false, true) => Schema::Foreign,
        (false, false) => Schema::Older,
    })
}

/// Applies the pending migrations, all or none, and returns their versions.
///
/// Several programs may do so at once: one applies them, the others wait and find nothing to do.
///
/// # Errors
/// When a migration fails; nothing is applied then.
pub fn run(connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    create_version_table(connection)?;
    transaction(connection, Patience::Endless, |connection| {
        // diesel's harness takes no lock of its own.
        connection.batch_execute("lock table __diesel_schema_migrations in exclusive mode")?;
        let applied = connection.run_pending_migrations(MIGRATIONS);
        let applied = applied.map(|applied| applied.iter().map(ToString::to_string).collect());
        applied.map_err(|error| failed(connection, &*error))
    })
}

/// Makes diesel's own table of applied versions.
///
/// `create table if not exists` by two programs at once can fail for one of them: the table
/// is there then, so the second try finds it.
fn create_version_table(connection: &mut PgConnection) -> Result<(), StoreError> {
    if connection.applied_migrations().is_err() {
        let applied = connection.applied_migrations();
        applied.map_err(|error| failed(connection, &*error))?;
    }
    Ok(())
}

/// What went wrong with a migration. A lost connection is no fault of the migration, but the
/// harness does not tell one from the other: the next statement does.
fn failed(connection: &mut PgConnection, error: &dyn Error) -> StoreError {
    match connection.batch_execute("select").map_err(StoreError::from) {
        Err(lost) if lost.is_lost_connection() => lost,
        _ => StoreError::Migration(lines_joined(&error.to_string())),
    }
}

/// Versions of the migrations that this program knows, in order.
fn known_versions() -> Result<Vec<String>, StoreError> {
    use diesel::migration::MigrationSource;
    let mut versions = MigrationSource::<diesel::pg::Pg>::migrations(&MIGRATIONS)
        .map_err(|error| StoreError::Migration(error.to_string()))?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect::<Vec<_>>();
    versions.sort();
    Ok(versions)
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Versions that the database has, in order; `None` without diesel's table of them.
fn applied_versions(connection: &mut PgConnection) -> Result<Option<Vec<String>>, StoreError> {
    #[derive(QueryableByName)]
    struct Exists {
        #[diesel(sql_type = Bool)]
        exists: bool,
    }
    // The table is nearly always there: it is asked for only when reading it failed.
    match load_versions(connection) {
        Err(error @ StoreError::Database(_)) if !error.is_lost_connection() => {
            let table = "select to_regclass('__diesel_schema_migrations') is not null as exists";
            let table = diesel::sql_query(table).get_result::<Exists>(connection)?;
            // It may have been made meanwhile.
            if table.exists { Ok(Some(load_versions(connection)?)) } else { Ok(None) }
        }
        versions => Ok(Some(versions?)),
    }
}

fn load_versions(connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let query = "select version from __diesel_schema_migrations order by version";
    let rows: Vec<Version> = load_alone(connection, diesel::sql_query(query))?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

/// How many tables the database holds outside of the system's schemas.
fn table_count(connection: &mut PgConnection) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    Ok(diesel::sql_query(
        "select count(*) as count from pg_class join pg_namespace on pg_namespace.oid = relnamespace
         where relkind in ('r', 'p', 'v', 'm', 'f')
           and nspname <> 'information_schema' and nspname !~ '^pg_'",
    )
    .get_result::<Count>(connection)?
    .count)
}
