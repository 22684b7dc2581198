//! Several cases at a time, told in the order in which they were named.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::{Outcome, ScratchServer, run};

/// Runs the cases, up to `jobs` at a time, and hands what came of each to `tell`, in their order
/// and as soon as it is known.
///
/// # Errors
/// When `tell` fails; no further case is begun then.
pub fn run_all(
    cases: &[PathBuf],
    server: &ScratchServer,
    jobs: NonZero<usize>,
    update: bool,
    tell: &mut dyn FnMut(Outcome) -> io::Result<()>,
) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (sender, outcomes) = mpsc::channel();
        for _ in 0..jobs.get().min(cases.len()) {
            let sender = sender.clone();
            let (next, stop) = (&next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { break };
                    if sender.send((index, run(case, server, update))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut told = 0;
        for (index, outcome) in outcomes {
            early.insert(index, outcome);
            while let Some(outcome) = early.remove(&told) {
                told += 1;
                if let Err(error) = tell(outcome) {
                    stop.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(())
    })
}
