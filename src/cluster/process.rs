//! What Linux tells about the PostgreSQL processes of the host.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;

use memchr::memmem;

use super::layout::Layout;

/// A process of some PostgreSQL server, as it was when it was looked at.
pub(super) struct PostgresProcess {
    pub(super) pid: u32,
    /// A server's current folder is its data folder.
    cwd: io::Result<Metadata>,
    command_line: Vec<u8>,
}

/// All PostgreSQL processes, ours and others; `None` where there is no `/proc`.
pub(super) fn postgres_processes() -> Option<Vec<PostgresProcess>> {
    let folders = fs::read_dir("/proc").ok()?.flatten();
    Some(folders.filter_map(|folder| look_at(&folder)).collect())
}

impl PostgresProcess {
    /// Whether it works on this data folder.
    pub(super) fn serves(&self, layout: &Layout) -> bool {
        match &self.cwd {
            Ok(cwd) => fs::metadata(layout.data())
                .is_ok_and(|data| (data.dev(), data.ino()) == (cwd.dev(), cwd.ino())),
            Err(error) => is_hidden(error) && self.shows(&layout.name()),
        }
    }

    /// Whether it is the main process of a server of ours whose data folder was deleted.
    ///
    /// Only for a data folder that is not there.
    pub(super) fn has_lost_its_data(&self, layout: &Layout) -> bool {
        self.shows(&format!("cluster_name={}", layout.name()))
            && match &self.cwd {
                // Not so in a container that has a private PostgreSQL at the same path.
                Ok(cwd) => cwd.nlink() == 0,
                Err(error) => is_hidden(error),
            }
    }

    fn shows(&self, text: &str) -> bool {
        memmem::find(&self.command_line, text.as_bytes()).is_some()
    }
}

fn look_at(folder: &fs::DirEntry) -> Option<PostgresProcess> {
    let pid = folder.file_name().to_str()?.parse().ok()?;
    let path = folder.path();
    // A shell that stands in the data folder is not a server.
    if fs::read_to_string(path.join("comm")).ok()?.trim_end() != "postgres" {
        return None;
    }
    let command_line = fs::read(path.join("cmdline")).unwrap_or_default();
    Some(PostgresProcess { pid, cwd: fs::metadata(path.join("cwd")), command_line })
}

/// Root without `CAP_SYS_PTRACE` (in a container) cannot see another user's current folder.
/// Everybody sees the command line, in which every process of a server shows its cluster's name.
fn is_hidden(error: &io::Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied
}
