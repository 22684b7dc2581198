//! The base folder, the socket's folder and the lock: made if missing, checked if there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::Path;

use rustix::fs::OFlags;

use super::error::ClusterError;
use super::layout::Layout;
use super::owner::Owner;
use crate::state_folder::create_parents;

/// Open to its owner and nobody else.
const PRIVATE: u32 = 0o700;

/// Makes sure that the base folder exists, is the owner's and is closed to others.
pub(super) fn prepare_base(layout: &Layout, owner: Owner) -> Result<(), ClusterError> {
    if !layout.base().is_absolute() {
        return Err(ClusterError::RelativeFolder(layout.base().to_path_buf()));
    }
    prepare(layout.base(), owner)
}

/// The same for the folder of the socket, which the system may delete (`/tmp`).
pub(super) fn prepare_run(layout: &Layout, owner: Owner) -> Result<(), ClusterError> {
    let run = layout.run();
    // In `/tmp` anybody may have made a link of that name.
    if let Ok(link) = fs::symlink_metadata(&run)
        && link.is_symlink()
    {
        return Err(belongs_to_somebody_else(&run, link.uid(), owner));
    }
    prepare(&run, owner)
}

/// Whether a server that listens in the folder of the socket must be ours.
///
/// Nobody else may be able to put a socket there, which matters where the folder lies in
/// `/tmp`: another user may have made one of that name.
pub(super) fn run_is_private(layout: &Layout) -> bool {
    let (Ok(run), Ok(data)) = (fs::symlink_metadata(layout.run()), fs::metadata(layout.data()))
    else {
        return false;
    };
    run.is_dir() && run.uid() == data.uid() && run.mode() & 0o022 == 0
}

/// Waits for the lock that whoever sets up, starts or stops the server holds.
///
/// The lock ends with the process that holds it at the latest. Closing the file frees it.
pub(super) fn lock(layout: &Layout) -> Result<File, ClusterError> {
    let path = layout.lock();
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        // The base folder is the owner's, and root must not follow a link out of it.
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path)
        .map_err(ClusterError::file("open the lock file", &path))?;
    fs2::FileExt::lock_exclusive(&file).map_err(ClusterError::file("lock", &path))?;
    Ok(file)
}

/// Makes what was renamed in a folder outlast a power failure.
pub(super) fn sync(folder: &Path) -> Result<(), ClusterError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(ClusterError::file("write to disk the folder", folder))
}

fn prepare(folder: &Path, owner: Owner) -> Result<(), ClusterError> {
    create_parents(folder)
        .and_then(|()| DirBuilder::new().recursive(true).mode(PRIVATE).create(folder))
        .map_err(ClusterError::file("create the folder", folder))?;
    give_to_owner(folder, owner).map_err(ClusterError::file("change the owner of", folder))?;
    let metadata = fs::metadata(folder).map_err(ClusterError::file("look at", folder))?;
    if metadata.uid() != owner.uid {
        return Err(belongs_to_somebody_else(folder, metadata.uid(), owner));
    }
    if metadata.mode() & 0o777 != PRIVATE {
        fs::set_permissions(folder, fs::Permissions::from_mode(PRIVATE))
            .map_err(ClusterError::file("close to other users the folder", folder))?;
    }
    Ok(())
}

/// Hands a folder that is root's, usually because it is new, to the user who runs the server.
fn give_to_owner(folder: &Path, owner: Owner) -> io::Result<()> {
    let metadata = fs::symlink_metadata(folder)?;
    if metadata.uid() == owner.uid || metadata.uid() != 0 {
        return Ok(());
    }
    match lchown(folder, Some(owner.uid), Some(owner.gid)) {
        // Only root can give a folder away; the check of the owner that follows says more.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

fn belongs_to_somebody_else(folder: &Path, found: u32, owner: Owner) -> ClusterError {
    let folder = folder.to_path_buf();
    ClusterError::BelongsToSomebodyElse { folder, found, expected: owner.uid }
}
