//! Which user of the operating system runs the server?
//!
//! PostgreSQL refuses to run as root, so for root it is the user `tripline`, else `postgres`;
//! for everybody else it is the user who runs tripline. Whatever is written inside the base
//! folder once it belongs to that user is written by programs that run as that user, so that
//! root never follows a link that somebody else has planted there.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Uid, User};

use super::error::ClusterError;
use super::layout::Layout;

/// The users that root may run the server as, best first.
const SERVER_USERS: [&str; 2] = ["tripline", "postgres"];

/// What a server program may see of our environment. The rest could change what it does
/// (`PGDATA`, `LC_ALL`) or stay readable in a process that lives for months (passwords).
const KEPT_VARIABLES: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "TZ"];

/// The user who runs the server and to whom its folders belong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whether this process is root and has to step down to that user.
    steps_down: bool,
}

impl Owner {
    /// The owner of an existing data folder, or who is to own a new one.
    pub(super) fn of(layout: &Layout) -> Result<Self, ClusterError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self {
                uid: rustix::process::geteuid().as_raw(),
                gid: rustix::process::getegid().as_raw(),
                steps_down: false,
            });
        }
        let (uid, gid) = match fs::metadata(layout.data()) {
            // A user `tripline` that is created later does not change who owns the data.
            Ok(data) if data.uid() != 0 => (data.uid(), data.gid()),
            Ok(_) => {
                let (expected, _) = server_user().ok_or(ClusterError::NoServerUser)?;
                let folder = layout.data();
                return Err(ClusterError::BelongsToSomebodyElse { folder, found: 0, expected });
            }
            Err(_) => server_user().ok_or(ClusterError::NoServerUser)?,
        };
        Ok(Self { uid, gid, steps_down: true })
    }

    /// A command that runs as the owner, with the base folder as its current one.
    ///
    /// Paths inside the base folder can thus be given to `pg_ctl` as plain words, which spares
    /// us its habit of passing unquoted paths to a shell.
    pub(super) fn command(self, program: &Path, layout: &Layout) -> Command {
        let mut command = Command::new(program);
        command.current_dir(layout.base()).env_clear().env("LC_ALL", "C");
        for name in KEPT_VARIABLES {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        if self.steps_down {
            // std drops root's supplementary groups when a user id is set.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// The names of the users who may connect: the owner, and root where root set it up.
    pub(super) fn names(self) -> Result<Vec<String>, ClusterError> {
        let mut users = vec![self.uid];
        if self.steps_down {
            users.push(0);
        }
        users.into_iter().map(user_name).collect()
    }
}

fn server_user() -> Option<(u32, u32)> {
    SERVER_USERS
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .map(|user| (user.uid.as_raw(), user.gid.as_raw()))
}

fn user_name(uid: u32) -> Result<String, ClusterError> {
    User::from_uid(Uid::from_raw(uid))
        .ok()
        .flatten()
        .map(|user| user.name)
        .ok_or(ClusterError::NamelessUser(uid))
}
