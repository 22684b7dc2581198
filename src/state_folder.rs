//! Where tripline keeps what belongs to one user of one host.
//!
//! In: the environment. Out: the path of the folder in which the run lock and the private
//! PostgreSQL live. Nothing is created here but the folders above it.

use std::env;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The state folder of root, which needs no environment.
const STATE_FOLDER_OF_ROOT: &str = "/var/lib/tripline";

/// What of a process's environment decides where the state folder is.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Whether the process runs as root.
    pub is_root: bool,
    /// `TRIPLINE_STATE_DIR`, if set: the state folder itself, for a set-up beside the usual one.
    pub tripline_state_dir: Option<OsString>,
    /// `XDG_STATE_HOME`, if set.
    pub xdg_state_home: Option<OsString>,
    /// `HOME`, if set.
    pub home: Option<OsString>,
}

impl Environment {
    /// The environment that this process was started with.
    pub fn of_this_process() -> Self {
        Self {
            is_root: rustix::process::geteuid().is_root(),
            tripline_state_dir: env::var_os("TRIPLINE_STATE_DIR"),
            xdg_state_home: env::var_os("XDG_STATE_HOME"),
            home: env::var_os("HOME"),
        }
    }
}

/// Why there is no state folder.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum StateFolderError {
    /// Neither variable names a folder.
    #[error(
        "cannot tell where to keep tripline's state: neither XDG_STATE_HOME nor HOME is set to \
         an absolute path; set HOME"
    )]
    NoHome,
}

/// The state folder: `$TRIPLINE_STATE_DIR`; else for root `/var/lib/tripline`, for others
/// `$XDG_STATE_HOME/tripline`, else `$HOME/.local/state/tripline`.
///
/// Always absolute. A variable that holds a relative path counts as not set, as the XDG Base
/// Directory Specification demands; so does an empty one.
///
/// # Errors
/// [`StateFolderError::NoHome`] if the user is not root and neither variable is usable.
pub fn state_folder(environment: &Environment) -> Result<PathBuf, StateFolderError> {
    let absolute = |value: &Option<OsString>| {
        value.as_deref().map(Path::new).filter(|path| path.is_absolute()).map(Path::to_path_buf)
    };
    if let Some(folder) = absolute(&environment.tripline_state_dir) {
        return Ok(folder);
    }
    if environment.is_root {
        return Ok(PathBuf::from(STATE_FOLDER_OF_ROOT));
    }
    absolute(&environment.xdg_state_home)
        .or_else(|| absolute(&environment.home).map(|home| home.join(".local/state")))
        .map(|state| state.join("tripline"))
        .ok_or(StateFolderError::NoHome)
}

/// Makes the folders above `folder` that are missing.
///
/// Root's are open to all: the user who runs the private PostgreSQL must get through them. The
/// others' are private, as the XDG Base Directory Specification asks for.
///
/// # Errors
/// What the system said.
pub fn create_parents(folder: &Path) -> io::Result<()> {
    let mode = if rustix::process::geteuid().is_root() { 0o755 } else { 0o700 };
    match folder.parent() {
        Some(parent) => DirBuilder::new().recursive(true).mode(mode).create(parent),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is_root: bool, xdg: Option<&str>, home: Option<&str>, expected: Option<&str>) {
        let environment = Environment {
            is_root,
            tripline_state_dir: None,
            xdg_state_home: xdg.map(OsString::from),
            home: home.map(OsString::from),
        };
        assert_eq!(
            state_folder(&environment),
            expected.map(PathBuf::from).ok_or(StateFolderError::NoHome),
            "{environment:?}"
        );
    }

    #[test]
    fn root_needs_no_environment() {
        check(true, None, None, Some("/var/lib/tripline"));
        check(true, Some("/xdg"), Some("/root"), Some("/var/lib/tripline"));
    }

    #[test]
    fn others_follow_xdg_then_home() {
        check(false, Some("/xdg"), Some("/home/ann"), Some("/xdg/tripline"));
        check(false, None, Some("/home/ann"), Some("/home/ann/.local/state/tripline"));
    }

    #[test]
    fn a_folder_that_is_given_is_taken_by_all() {
        for is_root in [true, false] {
            let environment = Environment {
                is_root,
                tripline_state_dir: Some("/elsewhere".into()),
                xdg_state_home: Some("/xdg".into()),
                home: Some("/home/ann".into()),
            };
            assert_eq!(state_folder(&environment), Ok(PathBuf::from("/elsewhere")));
        }
    }

    #[test]
    fn relative_and_empty_paths_count_as_not_set() {
        check(false, Some("state"), Some("/home/ann"), Some("/home/ann/.local/state/tripline"));
        check(false, Some(""), Some("/home/ann"), Some("/home/ann/.local/state/tripline"));
        check(false, None, Some("ann"), None);
        check(false, None, None, None);
    }
}
