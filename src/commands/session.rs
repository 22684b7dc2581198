//! What every command needs first: the config, the name of the host, the database.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use chrono_tz::Tz;
use diesel::pg::PgConnection;
use xxhash_rust::xxh3::xxh3_64;

use super::hide_url;
use crate::cli::Global;
use crate::cluster::{Cluster, Status};
use crate::config::{self, Config, DatabaseUrl};
use crate::ingest::ReadLimits;
use crate::lock::RunLock;
use crate::model::Tick;
use crate::notify::Connect;
use crate::pipeline::Pipeline;
use crate::state_folder::{self, state_folder};
use crate::store::migrations::{self, Schema};
use crate::store::transaction::{Patience, transaction};
use crate::store::{StoreError, connection};

/// The command cannot work as it was called.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) String);

/// The config and what follows from it.
pub(super) struct Session {
    pub(super) config: Config,
    /// The name of this host.
    pub(super) host: String,
    database: Database,
}

/// Where the database is.
enum Database {
    /// At an address that somebody gave; `origin` says who.
    Given { url: DatabaseUrl, origin: String },
    /// In the private PostgreSQL.
    Private(Cluster),
}

/// What a lock keeps others from doing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Ingest,
    Alert,
}

impl Session {
    pub(super) fn new(global: &Global) -> anyhow::Result<Self> {
        let environment = config::Environment::from_variables(|name| env::var_os(name));
        let config = Config::load(global.config.as_deref(), &environment)?;
        for warning in &config.warnings {
            log::info!("{warning}");
        }
        let host = match &config.host {
            Some(host) => host.clone(),
            None => system_host_name(),
        };
        let database = Database::find(global, &config)?;
        Ok(Self { config, host, database })
    }

    /// Connects to the database, which has the schema of this program then.
    ///
    /// The private database and an empty one are migrated; others never are by themselves.
    pub(super) fn connect(&self) -> anyhow::Result<PgConnection> {
        let mut connection = self.connect_to_any_schema()?;
        self.make_current(&mut connection)?;
        Ok(connection)
    }

    fn make_current(&self, connection: &mut PgConnection) -> anyhow::Result<()> {
        let schema = migrations::schema(connection)?;
        match (&schema, &self.database) {
            (Schema::Current, _) => {}
            (Schema::Newer(version), _) => return Err(newer(version)),
            (Schema::Empty, _) | (Schema::Older, Database::Private(_)) => {
                migrations::run(connection)?;
            }
            (Schema::Older, Database::Given { origin, .. }) => {
                bail!("the database ({origin}) has an older schema; run: tripline migrate")
            }
            (Schema::Foreign, Database::Given { origin, .. }) => bail!(
                "the database ({origin}) holds tables of something else and none of \
                 tripline's; if it is the right one, run: tripline migrate"
            ),
            (Schema::Foreign, Database::Private(_)) => bail!(
                "the private database holds tables of something else and none of tripline's; \
                 if they are yours, run: tripline migrate"
            ),
        }
        Ok(())
    }

    /// The same, and reads what the command begins with: in one transaction with the question
    /// for the schema, because a tick with nothing new is mostly round trips.
    pub(super) fn connect_and_read<T>(
        &self,
        read: impl Fn(&mut PgConnection) -> Result<T, StoreError>,
    ) -> anyhow::Result<(PgConnection, T)> {
        let mut connection = self.connect_to_any_schema()?;
        let at_once = transaction(&mut connection, Patience::Short, |connection| {
            if migrations::is_current(connection)? { read(connection).map(Some) } else { Ok(None) }
        });
        match at_once {
            Ok(Some(found)) => return Ok((connection, found)),
            Ok(None) => {}
            // Without the table of versions the question fails.
            Err(error @ StoreError::Database(_)) if !error.is_lost_connection() => {}
            Err(error) => return Err(error.into()),
        }
        self.make_current(&mut connection)?;
        let found = transaction(&mut connection, Patience::Short, read)?;
        Ok((connection, found))
    }

    /// Connects to the database without making or changing one; `None` where nothing was stored
    /// so far.
    pub(super) fn connect_to_what_is_there(&self) -> anyhow::Result<Option<PgConnection>> {
        if let Database::Private(cluster) = &self.database
            && cluster.status()? == Status::NeverSetUp
        {
            return Ok(None);
        }
        let mut connection = self.connect_to_any_schema()?;
        match migrations::schema(&mut connection)? {
            Schema::Current => Ok(Some(connection)),
            Schema::Empty => Ok(None),
            Schema::Older => bail!("the database has an older schema; run: tripline migrate"),
            Schema::Newer(version) => Err(newer(&version)),
            Schema::Foreign => bail!("the database holds none of tripline's tables"),
        }
    }

    /// Whose rules the config has: this host's, or those for all hosts.
    pub(super) fn rules_host(&self) -> &str {
        if self.config.evaluate.all_hosts { "*" } else { &self.host }
    }

    /// Connects to the database, whatever schema it has.
    pub(super) fn connect_to_any_schema(&self) -> anyhow::Result<PgConnection> {
        match &self.database {
            Database::Given { url, origin } => Ok(connection::connect(url.expose(), origin)?),
            Database::Private(cluster) => connect_to_private(cluster),
        }
    }

    /// The stages of one tick.
    pub(super) fn pipeline<'a>(
        &'a self,
        tick: Tick,
        stop: &'a AtomicBool,
        limits: ReadLimits,
    ) -> Pipeline<'a> {
        Pipeline {
            host: &self.host,
            config: &self.config,
            tick,
            stop,
            limits,
            progress: None,
            connect: Some(self),
        }
    }

    /// Takes the lock of a stage: one run at a time on this host and database.
    pub(super) fn lock(
        &self,
        stage: Stage,
        wait_seconds: u64,
        stop: &AtomicBool,
    ) -> anyhow::Result<RunLock> {
        let path = match (&self.config.lock_file, stage) {
            (Some(path), Stage::Ingest) => path.clone(),
            (Some(path), Stage::Alert) => with_suffix(path, ".alert"),
            (None, stage) => self.default_lock(stage)?,
        };
        Ok(RunLock::take_unless(stop, &path, Duration::from_secs(wait_seconds))?)
    }

    /// Named after the database, so that two set-ups on one host never wait for each other.
    fn default_lock(&self, stage: Stage) -> anyhow::Result<PathBuf> {
        let stage = match stage {
            Stage::Ingest => "ingest",
            Stage::Alert => "alert",
        };
        let folder = state_folder(&state_folder::Environment::of_this_process())?;
        let database = match &self.database {
            Database::Private(_) => "private".to_owned(),
            Database::Given { url, .. } => {
                format!("{:016x}", xxh3_64(connection::without_password(url.expose()).as_bytes()))
            }
        };
        Ok(folder.join(format!("{stage}-{database}.lock")))
    }
}

impl Connect for Session {
    fn connect(&self) -> Result<PgConnection, String> {
        self.connect_to_any_schema().map_err(|error| format!("{error:#}"))
    }
}

impl Database {
    fn find(global: &Global, config: &Config) -> anyhow::Result<Self> {
        let given = |url: String, origin: &str| {
            Ok(Self::Given { url: DatabaseUrl::new(url), origin: origin.to_owned() })
        };
        if let Some(url) = &global.database_url {
            return given(url.clone(), "given by --database-url");
        }
        // Where the URL of the command line was hidden, it stands in the first variable.
        let hidden = env::var(hide_url::ORIGIN).ok();
        for (variable, hidden) in [(hide_url::URL, hidden), ("DATABASE_URL", None)] {
            match env::var(variable) {
                Ok(url) if !url.is_empty() => {
                    let origin = hidden.as_deref().unwrap_or(variable);
                    return given(url, &format!("given by {origin}"));
                }
                Ok(_) | Err(env::VarError::NotPresent) => {}
                Err(env::VarError::NotUnicode(_)) => {
                    return Err(UsageError(format!("{variable} is not UTF-8")).into());
                }
            }
        }
        if let Some(url) = config.database.resolve()? {
            let path = config.path.as_deref().map(super::display).unwrap_or_default();
            return Ok(Self::Given { url, origin: format!("given by {path}") });
        }
        let environment = state_folder::Environment::of_this_process();
        Ok(Self::Private(Cluster::in_default_place(&environment)?))
    }
}

fn newer(version: &str) -> anyhow::Error {
    anyhow!(
        "the database was migrated to version {version} by a newer tripline; this is {}: install \
         the newer one here as well",
        env!("CARGO_PKG_VERSION")
    )
}

/// Connects to the private PostgreSQL, which is set up and started if need be.
///
/// Nearly always it runs. To ask first whether it does would make it start a process for the
/// question, and another one for the connection.
fn connect_to_private(cluster: &Cluster) -> anyhow::Result<PgConnection> {
    let url = cluster.url(crate::cluster::DATABASE);
    let connect = || connection::connect(&url, "the private PostgreSQL");
    if cluster.was_ready()
        && let Ok(connection) = connect()
    {
        return Ok(connection);
    }
    cluster.ensure_running()?;
    Ok(connect()?)
}

/// The private PostgreSQL, whatever database is configured.
pub(super) fn private_cluster() -> anyhow::Result<Cluster> {
    Ok(Cluster::in_default_place(&state_folder::Environment::of_this_process())?)
}

/// The zone of this host: that of TZ, else the one that /etc/localtime names.
///
/// # Errors
/// When it has no IANA name: times without a zone could not be read.
pub(super) fn host_zone() -> anyhow::Result<Tz> {
    let name = match env::var("TZ") {
        Ok(name) if !name.is_empty() => name.trim_start_matches(':').to_owned(),
        _ => iana_time_zone::get_timezone()
            .context("cannot tell the time zone of this host; set timezone in the config")?,
    };
    // A path below the zone database names a zone as well.
    let name = name.rsplit_once("zoneinfo/").map_or(name.as_str(), |(_, name)| name);
    name.parse().map_err(|_| {
        UsageError(format!(
            "the time zone of this host is {name:?}, which is no IANA name such as \
             Europe/Berlin; set TZ, or timezone in the config"
        ))
        .into()
    })
}

fn system_host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
