//! SIGTERM and SIGINT: a command ends at the next safe point, and soon in any case.
//!
//! What can take long looks at the flag. What cannot look is a statement that the server is
//! busy with, a server that does not answer, or a reader of standard output who does not read.
//! None of them is waited for longer than a moment: whatever is not committed is undone by the
//! server, which sees that nobody is there any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long a command may take to come to a safe point.
const GRACE: Duration = Duration::from_secs(2);

/// The flag that is set when the process is asked to end.
///
/// Who asks a second time does not want to wait at all.
pub(super) fn on_signal() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    match Signals::new([SIGTERM, SIGINT]) {
        Ok(signals) => {
            let stop = Arc::clone(&stop);
            thread::spawn(move || watch(signals, &stop));
        }
        Err(error) => log::warn!("cannot listen for signals: {error}"),
    }
    stop
}

fn watch(mut signals: Signals, stop: &AtomicBool) {
    for _ in &mut signals {
        if stop.swap(true, Ordering::Relaxed) {
            end();
        }
        thread::spawn(|| {
            thread::sleep(GRACE);
            end();
        });
    }
}

#[expect(clippy::exit, reason = "the main thread waits for somebody else")]
fn end() {
    log::error!("stopped by a signal; what was not complete is undone, what was is stored");
    std::process::exit(1);
}
