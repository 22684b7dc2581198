//! The PostgreSQL of this benchmark, and the programs that work with it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use diesel::pg::PgConnection;
use tempfile::TempDir;
use tripline::cluster::{Cluster, DATABASE, Durability};
use tripline::store::{connection, migrations};

/// A private PostgreSQL in a folder that is removed in the end.
pub(crate) struct Server {
    cluster: Cluster,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> anyhow::Result<Self> {
        // As root, PostgreSQL runs as another user, who must get through.
        let folder = tempfile::Builder::new()
            .prefix("tripline-bench-")
            .permissions(Permissions::from_mode(0o711))
            .tempdir()?;
        let cluster = Cluster::new(folder.path().join("state"), Durability::ThrowAway);
        cluster.ensure_running()?;
        let server = Self { cluster, folder };
        migrations::run(&mut server.connect(DATABASE)?)?;
        // Nobody else shall work while something is measured.
        server.psql(DATABASE, "alter system set autovacuum = off; select pg_reload_conf()")?;
        Ok(server)
    }

    /// Where the logs lie.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn connect(&self, database: &str) -> anyhow::Result<PgConnection> {
        Ok(connection::connect(&self.cluster.url(database), "the benchmark's PostgreSQL")?)
    }

    /// The program under measurement, with nothing of our own environment and this config.
    pub(crate) fn tripline(&self, config: &str, arguments: &[&str]) -> anyhow::Result<Command> {
        let path = self.path("tripline.toml");
        std::fs::write(&path, format!("[database]\nurl = {:?}\n{config}", self.url()))?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_tripline"));
        command.args(["--now", crate::NOW, "--config"]).arg(path).args(arguments);
        command.env("TZ", "UTC").env("TRIPLINE_STATE_DIR", self.path("state"));
        command.env_remove("DATABASE_URL").env_remove("TRIPLINE_DATABASE_URL");
        Ok(command)
    }

    fn url(&self) -> String {
        self.cluster.url(DATABASE)
    }

    /// PostgreSQL's own `psql` with one statement or command.
    pub(crate) fn psql_command(&self, database: &str, text: &str) -> anyhow::Result<Command> {
        let mut command = self.cluster.psql(database)?;
        command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"]);
        command.args(["--set=ON_ERROR_STOP=1", "--command", text]);
        Ok(command)
    }

    /// Runs statements, each in a transaction of its own, and returns what the last one gives.
    pub(crate) fn psql(&self, database: &str, statements: &str) -> anyhow::Result<String> {
        let mut command = self.cluster.psql(database)?;
        command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"]);
        command.arg("--set=ON_ERROR_STOP=1");
        for statement in statements.split(';') {
            command.args(["--command", statement]);
        }
        let output = command.stdin(Stdio::null()).output().context("cannot start psql")?;
        if !output.status.success() {
            bail!("{statements}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Empties all tables but keeps their partitions, so that every round starts alike.
    pub(crate) fn empty(&self) -> anyhow::Result<()> {
        self.psql(
            DATABASE,
            "set client_min_messages = warning; truncate sources, alert_rules, runs cascade; \
             truncate ingest_state, generations, line_counts, log_entries; checkpoint",
        )?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.cluster.stop() {
            println!("cannot stop the benchmark's PostgreSQL: {error}");
        }
    }
}
