//! A sequence of operations, done and checked.

use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tripline::ingest::ReadLimits;

use crate::check;
use crate::operation::Operation;
use crate::runner::{Ended, Fault, Runner};
use crate::world::{Settings, World};

/// A database and a folder for many sequences, each with a host and a folder of its own.
pub(crate) struct Bench {
    runner: Runner,
    folder: TempDir,
    sequences: usize,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { runner: Runner::new(), folder: tempfile::tempdir().unwrap(), sequences: 0 }
    }

    /// Does a sequence; the error says what is not as it should be.
    pub(crate) fn check(
        &mut self,
        settings: &Settings,
        operations: &[Operation],
    ) -> Result<(), String> {
        self.sequences += 1;
        let host = format!("host{}", self.sequences);
        let folder = self.folder.path().join(&host);
        let world = World::new(settings, &folder);
        let mut sequence =
            Sequence { runner: &mut self.runner, host, world: Arc::new(Mutex::new(world)) };
        let result = sequence.done(operations);
        std::fs::remove_dir_all(folder).unwrap();
        result
    }
}

struct Sequence<'a> {
    runner: &'a mut Runner,
    host: String,
    world: Arc<Mutex<World>>,
}

impl Sequence<'_> {
    fn done(&mut self, operations: &[Operation]) -> Result<(), String> {
        // What was rotated before a log is first seen is not read.
        self.run(ReadLimits::default(), None)?;
        for (step, operation) in operations.iter().enumerate() {
            self.take(operation).map_err(|error| {
                format!("after step {step}, {operation:?}: {error}\n{}", self.state())
            })?;
        }
        self.end().map_err(|error| format!("{error}\n{}", self.state()))
    }

    fn take(&mut self, operation: &Operation) -> Result<(), String> {
        use Operation as O;
        self.world.lock().unwrap().act(operation);
        let all = ReadLimits::default();
        match operation {
            O::Run => self.run(all, None),
            O::RunInChunks(bytes) => self.run(ReadLimits { chunk_bytes: *bytes, ..all }, None),
            O::RunAtMost(bytes) => self.run(ReadLimits { max_bytes: Some(*bytes), ..all }, None),
            O::Kill(at) => self.run(all, Some((*at, Fault::Kill))),
            O::Cut(at) => self.run(all, Some((*at, Fault::Cut))),
            O::Meanwhile(at, other) => {
                self.run(all, Some((*at, Fault::Meanwhile((**other).clone()))))
            }
            _ => Ok(()),
        }
    }

    /// One run, after which the database must hold what it can.
    fn run(&mut self, limits: ReadLimits, fault: Option<(usize, Fault)>) -> Result<(), String> {
        let is_disturbed = fault.is_some();
        let had_log = self.world.lock().unwrap().has_log();
        let ended = self.runner.run(&self.world, &self.host, limits, fault)?;
        let has_read_all =
            matches!(ended, Ended::Well { has_more: false }) && had_log && !is_disturbed;
        let mut world = self.world.lock().unwrap();
        world.after_run(has_read_all);
        check::stored(&world, self.runner, &self.host, has_read_all)
    }

    /// In the end a run must find everything, and a further one nothing; hours later too, when
    /// no rotated file can grow any more.
    fn end(&mut self) -> Result<(), String> {
        self.world.lock().unwrap().settle();
        for pass in ["at the end", "hours later"] {
            let all = ReadLimits::default();
            self.run(all, None).map_err(|error| format!("{pass}: {error}"))?;
            let before = check::everything(self.runner, &self.host);
            self.run(all, None).map_err(|error| format!("{pass}, again: {error}"))?;
            let after = check::everything(self.runner, &self.host);
            if before != after {
                let changed: Vec<&String> =
                    after.iter().filter(|row| !before.contains(row)).collect();
                return Err(format!("{pass}, a second run changed something: {changed:?}"));
            }
            self.world.lock().unwrap().act(&Operation::Wait);
        }
        Ok(())
    }

    /// What there is, for people.
    fn state(&self) -> String {
        let rows = check::everything(self.runner, &self.host).join("\n  ");
        format!("{}  {rows}", self.world.lock().unwrap().listing())
    }
}
