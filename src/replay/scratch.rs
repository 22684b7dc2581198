//! Databases that are made for a case and dropped after it.
//!
//! They lie in the private PostgreSQL, whatever database is configured: a case must never
//! touch anybody's data.

use std::path::Path;

use anyhow::Context;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::cluster::{Cluster, DATABASE};
use crate::store::{connection, migrations};

/// All scratch databases begin with this; the number of the process that made one follows.
const PREFIX: &str = "tripline_replay_";

/// The private PostgreSQL with a migrated template for scratch databases.
pub struct ScratchServer {
    cluster: Cluster,
    connection: PgConnection,
    made: u32,
}

/// A database that is dropped with this value.
pub(super) struct ScratchDatabase<'a> {
    server: &'a mut ScratchServer,
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
        let connection = connection::connect(&cluster.url(DATABASE), "the private PostgreSQL")?;
        let mut server = Self { cluster, connection, made: 0 };
        server.drop_leftovers()?;
        let template = template();
        server.create(&template, "template0")?;
        let mut connection =
            connection::connect(&server.cluster.url(&template), "the private PostgreSQL")?;
        migrations::run(&mut connection)?;
        Ok(server)
    }

    /// A new migrated database.
    pub(super) fn database(&mut self) -> anyhow::Result<ScratchDatabase<'_>> {
        self.made += 1;
        let name = format!("{PREFIX}{}_{}", std::process::id(), self.made);
        self.create(&name, &template())?;
        let url = self.cluster.url(&name);
        Ok(ScratchDatabase { server: self, name, url })
    }

    /// The names are made of letters, digits and underscores only.
    ///
    /// Copied through the write-ahead log, where PostgreSQL can: copying the files would need
    /// two checkpoints, which on a durable server take several times as long.
    fn create(&mut self, name: &str, template: &str) -> anyhow::Result<()> {
        self.connection
            .batch_execute(&format!("create database {name} template {template}"))
            .with_context(|| format!("cannot make the scratch database {name}"))
    }

    fn drop(&mut self, name: &str) {
        let dropped =
            self.connection.batch_execute(&format!("drop database if exists {name} with (force)"));
        if let Err(error) = dropped {
            log::warn!("cannot drop the scratch database {name}: {error}");
        }
    }

    /// Drops what processes that are gone have left.
    fn drop_leftovers(&mut self) -> anyhow::Result<()> {
        #[derive(QueryableByName)]
        struct Database {
            #[diesel(sql_type = Text)]
            name: String,
        }
        let databases = diesel::sql_query(
            "select datname::text as name from pg_database where datname ~ '^tripline_replay_[0-9]+_'",
        )
        .load::<Database>(&mut self.connection)?;
        for database in databases {
            let process = database.name[PREFIX.len()..].split('_').next().unwrap_or_default();
            if !Path::new("/proc").join(process).exists() {
                self.drop(&database.name);
            }
        }
        Ok(())
    }
}

/// The name of the migrated database that this process copies.
fn template() -> String {
    format!("{PREFIX}{}_template", std::process::id())
}

impl Drop for ScratchServer {
    fn drop(&mut self) {
        Self::drop(self, &template());
    }
}

impl ScratchDatabase<'_> {
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for ScratchDatabase<'_> {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        self.server.drop(&name);
    }
}
