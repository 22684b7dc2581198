//! Databases that are made for a case and dropped after it.
//!
//! They lie in the private PostgreSQL, whatever database is configured: a case must never
//! touch anybody's data.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::cluster::{Cluster, DATABASE};
use crate::store::{StoreError, connection, migrations};

/// All scratch databases begin with this; the number of the process that made one follows.
const PREFIX: &str = "tripline_replay_";

/// The private PostgreSQL with a migrated template for scratch databases.
pub struct ScratchServer {
    cluster: Cluster,
    made: AtomicU32,
}

/// A database that is dropped with this value.
pub(super) struct ScratchDatabase {
    /// To the database from which others are made and dropped.
    connection: PgConnection,
    name: String,
    url: String,
}

impl ScratchServer {
    /// Starts the private PostgreSQL if need be, and makes the template.
    ///
    /// # Errors
    /// When the server cannot be started, or does not do as it is told.
    pub fn new(cluster: Cluster) -> anyhow::Result<Self> {
        cluster.ensure_running()?;
        let server = Self { cluster, made: AtomicU32::new(0) };
        let mut connection = server.connect(DATABASE)?;
        drop_leftovers(&mut connection)?;
        create(&mut connection, &template(), "template0")?;
        migrations::run(&mut server.connect(&template())?)?;
        Ok(server)
    }

    /// A new migrated database.
    pub(super) fn database(&self) -> anyhow::Result<ScratchDatabase> {
        let number = 1 + self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}_{number}", std::process::id());
        let mut connection = self.connect(DATABASE)?;
        create(&mut connection, &name, &template())?;
        let url = self.cluster.url(&name);
        Ok(ScratchDatabase { connection, name, url })
    }

    fn connect(&self, database: &str) -> Result<PgConnection, StoreError> {
        connection::connect(&self.cluster.url(database), "the private PostgreSQL")
    }
}

/// The names are made of letters, digits and underscores only.
///
/// Copied through the write-ahead log, where PostgreSQL can: copying the files would need
/// two checkpoints, which on a durable server take several times as long.
fn create(connection: &mut PgConnection, name: &str, template: &str) -> anyhow::Result<()> {
    connection
        .batch_execute(&format!("create database {name} template {template}"))
        .with_context(|| format!("cannot make the scratch database {name}"))
}

fn drop_database(connection: &mut PgConnection, name: &str) {
    let dropped = connection.batch_execute(&format!("drop database if exists {name} with (force)"));
    if let Err(error) = dropped {
        log::warn!("cannot drop the scratch database {name}: {error}");
    }
}

/// Drops what processes that are gone have left.
fn drop_leftovers(connection: &mut PgConnection) -> anyhow::Result<()> {
    #[derive(QueryableByName)]
    struct Database {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let databases = diesel::sql_query(
        "select datname::text as name from pg_database where datname ~ '^tripline_replay_[0-9]+_'",
    )
    .load::<Database>(connection)?;
    for database in databases {
        let process = database.name[PREFIX.len()..].split('_').next().unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            drop_database(connection, &database.name);
        }
    }
    Ok(())
}

/// The name of the migrated database that this process copies.
fn template() -> String {
    format!("{PREFIX}{}_template", std::process::id())
}

impl Drop for ScratchServer {
    fn drop(&mut self) {
        match self.connect(DATABASE) {
            Ok(mut connection) => drop_database(&mut connection, &template()),
            Err(error) => log::warn!("cannot drop {}: {error}", template()),
        }
    }
}

impl ScratchDatabase {
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        drop_database(&mut self.connection, &self.name);
    }
}
