//! How many files a run may have open at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit to what the host allows.
///
/// Jobs of cron begin with 1024, which is for programs that cannot handle more; the rotated files
/// of a log may be more than that, and all of them are open while they are compared.
pub fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        log::debug!("cannot raise the number of files that may be open: {error}");
    }
}
