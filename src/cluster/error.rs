//! Everything that can go wrong with the private PostgreSQL, and what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::state_folder::StateFolderError;

/// Why the private PostgreSQL cannot be used.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// There is no default place for this user.
    #[error(transparent)]
    StateFolder(#[from] StateFolderError),
    /// The base folder was given relative to some current folder.
    #[error("cannot keep a private PostgreSQL in {}: give an absolute path", .0.display())]
    RelativeFolder(PathBuf),
    /// The file system said no.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was attempted, for example `create the folder`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder of the private PostgreSQL is another user's.
    #[error(
        "cannot use {} for the private PostgreSQL: it belongs to user id {found} and not to \
         {expected}, who runs the server; give it to that user with chown, or run tripline as \
         the user who set it up",
        folder.display()
    )]
    BelongsToSomebodyElse {
        /// The folder.
        folder: PathBuf,
        /// The user id of its owner.
        found: u32,
        /// The user id that it should belong to.
        expected: u32,
    },
    /// Root needs somebody to run the server as.
    #[error(
        "cannot start the private PostgreSQL as root: PostgreSQL refuses that, and there is \
         neither a user tripline nor a user postgres to run it as; create one with `useradd \
         --system tripline`, or give a database by --database-url"
    )]
    NoServerUser,
    /// The user has a number and no name, and peer authentication goes by name.
    #[error(
        "cannot set up the private PostgreSQL for user id {0}: the system knows no name for it; \
         add it to /etc/passwd, or give a database by --database-url"
    )]
    NamelessUser(u32),
    /// No PostgreSQL is installed.
    #[error(
        "found no PostgreSQL server programs (looked in {searched}); install them (Debian and \
         Ubuntu: apt-get install postgresql), or name their folder in TRIPLINE_PG_BIN, or give \
         a database by --database-url, TRIPLINE_DATABASE_URL or database.url in the config"
    )]
    NoPrograms {
        /// The places that were tried, for the message.
        searched: String,
    },
    /// The folder that the user named is not one of server programs.
    #[error(
        "TRIPLINE_PG_BIN names {}, where no working {missing} was found; it must be the folder \
         that holds postgres, initdb, pg_ctl and psql",
        folder.display()
    )]
    IncompletePrograms {
        /// The folder.
        folder: PathBuf,
        /// The first program that is not there.
        missing: &'static str,
    },
    /// The data folder needs another major version than the one found.
    #[error(
        "cannot use the data in {}: it was made by PostgreSQL {major}, whose programs were not \
         found (looked in {searched}); install PostgreSQL {major} again or name its folder in \
         TRIPLINE_PG_BIN; to move to a newer one, see pg_upgrade",
        data.display()
    )]
    NoProgramsOfMajor {
        /// The data folder.
        data: PathBuf,
        /// The major version that made it.
        major: u32,
        /// The places that were tried, for the message.
        searched: String,
    },
    /// The data folder says nothing about its version.
    #[error("cannot use the data in {}: its PG_VERSION does not hold a version", .0.display())]
    UnknownDataVersion(PathBuf),
    /// A program could not be run at all.
    #[error("cannot run {} in {} as the user of the server", program.display(), folder.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The folder in which it was to run, which its user must be able to enter.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("cannot {action} {}: {program} failed{advice}; it said:\n{output}", path.display())]
    Program {
        /// What was attempted, for example `set up the private PostgreSQL in`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The program's name.
        program: String,
        /// `; do this`, or nothing where the output is all that is known.
        advice: &'static str,
        /// The last lines of what it printed or logged.
        output: String,
    },
    /// A server works on the data and is not ready for connections.
    #[error(
        "the private PostgreSQL (process {pid}) is not ready for connections on {} after \
         {seconds} seconds; it may still be recovering, see {}",
        socket.display(), log.display()
    )]
    NotReady {
        /// One of the server's processes.
        pid: u32,
        /// The socket that was tried.
        socket: PathBuf,
        /// The server's log file.
        log: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
}

impl ClusterError {
    /// For `map_err`: an error of the file system with what was attempted on what.
    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
