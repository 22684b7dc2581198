//! Runs of the program in this process, and what disturbs them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, Instrumentation, InstrumentationEvent};
use diesel::pg::PgConnection;
use tripline::config::Config;
use tripline::ingest::{self, Ingest, Outcome, ReadLimits, Target};
use tripline::model::{PartitionInterval, Tick};
use tripline::store::StoreError;
use tripline::store::sources;

use crate::operation::Operation;
use crate::support::TestDatabase;
use crate::support::program::rows;
use crate::world::World;

/// What happens to a run.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Kill,
    Cut,
    Meanwhile(Operation),
}

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// By itself, as far as it was to go.
    Well { has_more: bool },
    /// By what happened to it.
    Badly,
}

/// The payload with which a run is unwound that is killed.
struct Killed;

/// The connection of the runs, and the one that ends it.
pub(crate) struct Runner {
    pub(crate) database: TestDatabase,
    connection: Option<PgConnection>,
    other: Arc<Mutex<PgConnection>>,
}

impl Runner {
    pub(crate) fn new() -> Self {
        let database = TestDatabase::new();
        let other = Arc::new(Mutex::new(database.connect()));
        Self { database, connection: None, other }
    }

    /// Rows of a query, for the checks.
    pub(crate) fn rows(&self, statement: &str) -> Vec<String> {
        rows(&mut self.other.lock().unwrap(), statement)
    }

    /// One run over the log.
    pub(crate) fn run(
        &mut self,
        world: &Arc<Mutex<World>>,
        host: &str,
        limits: ReadLimits,
        fault: Option<(usize, Fault)>,
    ) -> Result<Ended, String> {
        let (path, now) = {
            let mut world = world.lock().unwrap();
            world.before_run();
            (world.path(), world.clock)
        };
        let config = Config::default().source_for(&path).into();
        let target = Target { path, config, timezone: chrono_tz::UTC, since: None };
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.database.connect(),
        };
        let is_disturbed = fault.is_some();
        let is_cut = matches!(fault, Some((_, Fault::Cut)));
        if let Some((at, fault)) = fault {
            let disturbing = self.disturbing(&mut connection, at, fault, world);
            connection.set_instrumentation(disturbing);
        }
        let stage = Ingest {
            host,
            tick: Tick(now),
            partition_interval: PartitionInterval::Month,
            limits,
            progress: None,
            stop: &AtomicBool::new(false),
        };
        let result = catch_unwind(AssertUnwindSafe(|| {
            let known = sources::load(&mut connection, host)?;
            ingest::run(&mut connection, &stage, known, &[target], &mut |_, _, _| Ok(()))
        }));
        match result {
            Ok(Ok(outcome)) => {
                connection.set_instrumentation(|_: InstrumentationEvent<'_>| {});
                // It may have been cut after all was done.
                self.connection = (!is_cut).then_some(connection);
                ended(&outcome, is_disturbed)
            }
            Ok(Err(StoreError::Database(_) | StoreError::Connection(_))) if is_disturbed => {
                Ok(Ended::Badly)
            }
            Ok(Err(error)) => Err(format!("a run failed: {error}")),
            Err(payload) if payload.is::<Killed>() => Ok(Ended::Badly),
            Err(payload) => resume_unwind(payload),
        }
    }

    /// What makes a fault happen before the so-manieth thing that the database is told, or
    /// after it.
    fn disturbing(
        &self,
        connection: &mut PgConnection,
        at: usize,
        fault: Fault,
        world: &Arc<Mutex<World>>,
    ) -> impl Instrumentation + use<> {
        let pid = rows(connection, "select pg_backend_pid()::text as value").remove(0);
        let (other, world) = (Arc::clone(&self.other), Arc::clone(world));
        let mut events = 0;
        move |_: InstrumentationEvent<'_>| {
            events += 1;
            if events != at + 1 {
                return;
            }
            match &fault {
                // Unlike a panic, this prints nothing.
                Fault::Kill => resume_unwind(Box::new(Killed)),
                Fault::Cut => {
                    let end = format!("select pg_terminate_backend({pid}, 5000)::text as value");
                    rows(&mut other.lock().unwrap(), &end);
                }
                Fault::Meanwhile(operation) => world.lock().unwrap().act(operation),
            }
        }
    }
}

/// How a run ended that has told what it did.
fn ended(outcome: &Outcome, is_disturbed: bool) -> Result<Ended, String> {
    let is_expected = |message: &str| {
        message.contains("does not exist") || message.contains("no line of ") || is_disturbed
    };
    match outcome.failures.iter().find(|failure| !is_expected(&failure.message)) {
        Some(failure) => Err(format!("a run failed: {}", failure.message)),
        None => Ok(Ended::Well { has_more: outcome.has_more }),
    }
}
