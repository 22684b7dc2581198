//! The private PostgreSQL that is used when no database is configured.
//!
//! In: a folder of its own. Out: a server that runs, and the URL of a database in it. The
//! server is the PostgreSQL that is installed on the host, reached by a unix socket only, and
//! it is left running: a run that finds it running costs a connection and no process.
//!
//! ```text
//! base/           0700, the state folder of the user (root: of the user who runs the server)
//!   data/         PostgreSQL's data folder; made as data.new and renamed when complete
//!   run/          0700, the socket
//!   log           what the server says
//!   lock          held while the server is set up, started or stopped
//! ```
//!
//! Not done here: speaking SQL, migrations, installing PostgreSQL, and touching any other
//! cluster on the host.

mod child;
mod error;
mod folders;
mod layout;
mod owner;
mod postmaster;
mod process;
mod programs;
mod set_up;
mod settings;
mod start;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde::Serialize;

pub use self::child::tells_of_a_full_disk;
pub use self::error::ClusterError;
use self::layout::Layout;
use self::owner::Owner;
use self::programs::{Programs, Search};
use crate::state_folder::{Environment, state_folder};

/// The database that a private PostgreSQL always has.
pub const DATABASE: &str = "tripline";

/// Whether data must survive a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Yes: every commit is on disk.
    Safe,
    /// No: for tests and replays, whose data nobody will ask for again.
    ThrowAway,
}

/// A private PostgreSQL, which need not exist yet.
///
/// Several values and several processes may work with the same folder at once.
#[derive(Clone, Debug)]
pub struct Cluster {
    layout: Layout,
    durability: Durability,
}

/// What a private PostgreSQL is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    /// It has no data folder.
    NeverSetUp,
    /// It has data and does not run.
    Stopped {
        /// The major version, for example `15`.
        version: u32,
    },
    /// It is on its way up or down, or recovers from a crash.
    NotReady {
        /// One of the server's processes.
        pid: u32,
        /// The major version, for example `15`.
        version: u32,
    },
    /// It takes connections.
    Running {
        /// The server's main process.
        pid: u32,
        /// The major version, for example `15`.
        version: u32,
    },
}

impl Cluster {
    /// The private PostgreSQL in the folder `base`, which must be an absolute path.
    ///
    /// Nothing is looked at or created yet.
    pub fn new(base: impl Into<PathBuf>, durability: Durability) -> Self {
        Self { layout: Layout::new(base.into()), durability }
    }

    /// The private PostgreSQL of this user, in the state folder.
    ///
    /// # Errors
    /// [`ClusterError::StateFolder`] if the environment does not say where that is.
    pub fn in_default_place(environment: &Environment) -> Result<Self, ClusterError> {
        Ok(Self::new(state_folder(environment)?, Durability::Safe))
    }

    /// Whether it is worth a try to connect at once: the server was ready when it was last heard
    /// of. If it has ended since, connecting fails, and [`Cluster::ensure_running`] helps.
    pub fn was_ready(&self) -> bool {
        postmaster::says_ready(&self.layout)
    }

    /// Makes sure that the server takes connections and has the database [`DATABASE`].
    ///
    /// If it runs, this is one connection to its socket. Otherwise one process after the other
    /// looks again and sets up or starts what is missing. A server that was killed recovers. The
    /// server stays when this process ends.
    ///
    /// # Errors
    /// Each [`ClusterError`] says what is in the way and what to do about it.
    pub fn ensure_running(&self) -> Result<(), ClusterError> {
        if postmaster::is_ready(&self.layout) {
            return Ok(());
        }
        let owner = Owner::of(&self.layout)?;
        folders::prepare_base(&self.layout, owner)?;
        let _lock = folders::lock(&self.layout)?;
        if postmaster::wait_until_settled(&self.layout)? {
            return Ok(());
        }
        let programs = if self.is_set_up()? {
            self.programs_of_data()?
        } else {
            let newest = Programs::newest(&Search::of_this_process())?;
            postmaster::end_servers_without_data(&self.layout);
            set_up::set_up(&self.layout, owner, &newest, self.durability)?;
            newest
        };
        start::start(&self.layout, owner, &programs, self.durability)
    }

    /// Ends the server and every connection to it; false if it did not run.
    ///
    /// Waits for the server to have written its data to disk.
    ///
    /// # Errors
    /// Each [`ClusterError`] says what is in the way and what to do about it.
    pub fn stop(&self) -> Result<bool, ClusterError> {
        if !self.is_set_up()? {
            return Ok(false);
        }
        let owner = Owner::of(&self.layout)?;
        let _lock = folders::lock(&self.layout)?;
        // A stale pid file must never make us signal the process that has the number now.
        if postmaster::server_process(&self.layout).is_none() {
            return Ok(false);
        }
        start::stop(&self.layout, owner, &self.programs_of_data()?)?;
        Ok(true)
    }

    /// What the server is doing, without changing anything and without waiting.
    ///
    /// # Errors
    /// [`ClusterError`] if the data folder is there and cannot be read.
    pub fn status(&self) -> Result<Status, ClusterError> {
        if !self.is_set_up()? {
            return Ok(Status::NeverSetUp);
        }
        let version = self.data_version()?;
        Ok(match postmaster::server_process(&self.layout) {
            None => Status::Stopped { version },
            Some(pid) if postmaster::is_ready(&self.layout) => Status::Running { pid, version },
            Some(pid) => Status::NotReady { pid, version },
        })
    }

    /// The folder in which everything of this private PostgreSQL lies.
    pub fn base(&self) -> &Path {
        self.layout.base()
    }

    /// The file that the server logs to.
    pub fn log(&self) -> PathBuf {
        self.layout.log()
    }

    /// The folder of the server's socket, for programs that take it instead of a URL.
    pub fn socket_folder(&self) -> PathBuf {
        self.layout.run()
    }

    /// The URL of a database of this server, [`DATABASE`] as a rule. It holds no secret.
    pub fn url(&self, database: &str) -> String {
        self.layout.url(database)
    }

    /// `psql`, connected to a database of this server; the caller adds arguments and runs it.
    ///
    /// It is the program from the server's own folder (Debian's `/usr/bin/psql` is a wrapper
    /// that takes three times as long) and runs as the user of this process, in its current
    /// folder. It does not start the server.
    ///
    /// # Errors
    /// [`ClusterError`] if the server was never set up or its programs are gone.
    pub fn psql(&self, database: &str) -> Result<Command, ClusterError> {
        let mut command = Command::new(self.programs_of_data()?.path("psql"));
        for (name, _) in env::vars_os() {
            // PGOPTIONS, PGSERVICE and their like are meant for another server.
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.arg(format!("--dbname={}", self.url(database)));
        Ok(command)
    }

    /// A folder that cannot be looked into is an error: it may well hold somebody's data.
    fn is_set_up(&self) -> Result<bool, ClusterError> {
        let data = self.layout.data();
        data.try_exists().map_err(ClusterError::file("look for", data))
    }

    fn programs_of_data(&self) -> Result<Programs, ClusterError> {
        let major = self.data_version()?;
        Programs::for_data(&Search::of_this_process(), &self.layout.data(), major)
    }

    /// The major version that made the data folder.
    fn data_version(&self) -> Result<u32, ClusterError> {
        let path = self.layout.data().join("PG_VERSION");
        let text = fs::read_to_string(&path).map_err(ClusterError::file("read", &path))?;
        // Before version 10 a major version had two parts.
        let major = text.trim().split('.').next().unwrap_or_default();
        major.parse().map_err(|_| ClusterError::UnknownDataVersion(self.layout.data()))
    }
}
