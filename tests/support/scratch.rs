//! A private PostgreSQL of a test's own, for tests of what starts and stops one.
//!
//! Tests that only need a database use [`super::TestDatabase`], which shares one server.

#![allow(dead_code, reason = "no test binary uses all of it")]
#![allow(clippy::print_stderr, reason = "what goes wrong at the end of a test is told")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;
use tripline::cluster::{Cluster, DATABASE, Durability};

/// A private PostgreSQL that is stopped and removed with this value.
pub(crate) struct Scratch {
    pub(crate) cluster: Cluster,
    pub(crate) folder: TempDir,
}

#[allow(dead_code, reason = "no test binary uses all of it")]
impl Scratch {
    /// With its base folder at a path below a new folder. Nothing is started yet.
    pub(crate) fn below(path: impl AsRef<Path>, durability: Durability) -> Self {
        let folder = open_folder();
        let cluster = Cluster::new(folder.path().join(path), durability);
        Self { cluster, folder }
    }

    /// The result of a query, one line a row.
    pub(crate) fn query(&self, statement: &str) -> String {
        let output = self
            .cluster
            .psql(DATABASE)
            .unwrap()
            .args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet"])
            .args(["--set=ON_ERROR_STOP=1", "--command", statement])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statement}: {stderr}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = self.cluster.stop() {
            eprintln!("cannot stop the server of a test: {error}");
        }
        // Usually it is inside the folder that is removed next.
        let _ = fs::remove_dir(self.cluster.socket_folder());
    }
}

/// A temporary folder that the user who runs the server may enter, who is not root even if
/// we are.
pub(crate) fn open_folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("tripline-scratch-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir()
        .unwrap()
}
