//! The template that test databases are copied from, and what killed tests leave behind.
//!
//! All names are made here and in `mod.rs`, of letters, digits and underscores.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use super::{TextValue, advisory, execute, holds, migrate, server};

/// What the names of all our databases begin with.
pub(super) const PREFIX: &str = "tripline_test_";

/// Creates the database `name` as a copy of the template, which is made if it is missing.
pub(super) fn copy_to(connection: &mut PgConnection, name: &str) {
    let template = template_name();
    loop {
        // Whoever uses the template shares its lock; whoever makes or drops it has it alone.
        advisory(connection, "pg_advisory_lock_shared", &template);
        if is_complete(connection, &template) {
            break;
        }
        advisory(connection, "pg_advisory_unlock_shared", &template);
        make(connection, &template);
    }
    copy(connection, &template, name);
    advisory(connection, "pg_advisory_unlock_shared", &template);
}

/// Creates the database `name` as a copy of `original`, to which nobody is connected.
pub(super) fn copy(connection: &mut PgConnection, original: &str, name: &str) {
    let strategy = if server_knows_strategies(connection) { "strategy file_copy" } else { "" };
    execute(connection, &format!("create database {name} template {original} {strategy}"));
}

/// Drops, once a process, every database of ours that no living test has locked.
pub(super) fn sweep_once(connection: &mut PgConnection) {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(|| sweep(connection));
}

/// Drops databases of killed tests, and templates of migrations that have since changed.
pub(super) fn sweep(connection: &mut PgConnection) {
    let template = template_name();
    let ours: Vec<TextValue> = diesel::sql_query(format!(
        "select datname::text as value from pg_database \
         where datname ~ '^{PREFIX}([0-9a-f]{{32}}|template_[0-9a-f]{{16}})$' \
         order by datname"
    ))
    .load(connection)
    .expect("list the test databases");
    for name in ours.into_iter().map(|row| row.value).filter(|name| *name != template) {
        let try_lock = "select pg_try_advisory_lock(hashtextextended($1, 0)) as value";
        if holds(connection, try_lock, &name) {
            execute(connection, &format!("drop database if exists {name} with (force)"));
            advisory(connection, "pg_advisory_unlock", &name);
        }
    }
}

/// Makes the template unless another test process was faster.
fn make(connection: &mut PgConnection, template: &str) {
    advisory(connection, "pg_advisory_lock", template);
    if !is_complete(connection, template) {
        // One that is not complete is what a killed test process was about to make.
        execute(connection, &format!("drop database if exists {template} with (force)"));
        execute(connection, &format!("create database {template} template template0"));
        migrate(&server::url_of(template));
        execute(connection, &format!("alter database {template} allow_connections false"));
    }
    advisory(connection, "pg_advisory_unlock", template);
}

/// A template is closed when it is complete, which also keeps everybody from using it directly.
fn is_complete(connection: &mut PgConnection, template: &str) -> bool {
    let statement = "select exists (select from pg_database \
                     where datname = $1 and not datallowconn) as value";
    holds(connection, statement, template)
}

/// Before PostgreSQL 15 there was only one, the one that is fast for small databases.
fn server_knows_strategies(connection: &mut PgConnection) -> bool {
    let statement = "select current_setting('server_version_num')::int >= $1::int as value";
    holds(connection, statement, "150000")
}

/// Named after the content of `migrations/`, so that a change makes a new template.
fn template_name() -> String {
    let mut hash = Xxh3::new();
    for path in files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations")) {
        hash.update(path.as_os_str().as_encoded_bytes());
        hash.update(&fs::read(&path).expect("read a migration"));
    }
    format!("{PREFIX}template_{:016x}", hash.digest())
}

/// All files below a folder, in the order of their paths; none if there is no such folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .collect()
}
