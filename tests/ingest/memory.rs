//! The memory of a run, which does not depend on what is read.

use std::fs;
use std::process::Child;

/// What a run may have at most, in KiB.
pub(crate) const MOST_KIB: u64 = 48 * 1024;

/// The most memory that a run has in use, in KiB, seen until it ends well.
pub(crate) fn most_memory(mut child: Child) -> u64 {
    let path = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let status = loop {
        let status = fs::read_to_string(&path).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
        most = most.max(peak.map_or(0, |peak| peak.parse().unwrap()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
    };
    assert!(status.success());
    assert!(most > 0, "nothing was seen");
    most
}
