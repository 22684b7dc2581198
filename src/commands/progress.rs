//! The progress bar of somebody who waits for a long backlog.

use std::cell::Cell;
use std::io::IsTerminal;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ingest::Progress;

/// With less to read, a run is over before anybody has read the bar.
const LEAST_BYTES: u64 = 16 << 20;

/// Without colours, so that there is nothing for `NO_COLOR` to turn off.
const TEMPLATE: &str = "[{bar:20}] {bytes} of {total_bytes}, {msg} lines/s, {eta} left";

/// A bar on the terminal that standard error is.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    /// Lines read so far.
    lines: Cell<u64>,
}

impl Bar {
    /// `None` where nobody looks: under cron, in a pipe, or with -q.
    pub(super) fn new(quiet: bool) -> Option<Self> {
        if quiet || !std::io::stderr().is_terminal() {
            return None;
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        bar.set_style(ProgressStyle::with_template(TEMPLATE).ok()?.progress_chars("## "));
        Some(Self { bar, lines: Cell::new(0) })
    }
}

impl Progress for Bar {
    fn begin(&self, unread_bytes: u64) {
        self.bar.set_length(unread_bytes);
        if unread_bytes >= LEAST_BYTES {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    fn advance(&self, bytes: u64, lines: u64) {
        self.lines.set(self.lines.get() + lines);
        let milliseconds = u64::try_from(self.bar.elapsed().as_millis()).unwrap_or(u64::MAX);
        let lines_per_second = self.lines.get().saturating_mul(1000) / milliseconds.max(1);
        self.bar.set_message(HumanCount(lines_per_second).to_string());
        self.bar.inc(bytes);
        // A file that was rotated away meanwhile was not foreseen.
        let position = self.bar.position();
        if self.bar.length().is_some_and(|length| length < position) {
            self.bar.set_length(position);
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// What is said after a failure stands on a line of its own.
impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
