//! `tripline alert`: evaluate the rules, record and deliver alerts.

use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::heartbeat;
use super::ingest::{finish, result};
use super::session::{Session, Stage};
use crate::cli::{Global, Wait};
use crate::ingest::ReadLimits;
use crate::model::Tick;
use crate::store::runs::Figures;

pub(super) fn run(
    global: &Global,
    arguments: &Wait,
    tick: Tick,
    stop: &AtomicBool,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let session = Session::new(global)?;
    let done = work(&session, arguments, tick, stop, stdout);
    heartbeat::after(&session, tick, done)
}

fn work(
    session: &Session,
    arguments: &Wait,
    tick: Tick,
    stop: &AtomicBool,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let _lock = session.lock(Stage::Alert, arguments.seconds, stop)?;
    let pipeline = session.pipeline(tick, stop, ReadLimits::default());
    let (mut connection, rules) =
        session.connect_and_read(|connection| pipeline.rules_in_use(connection))?;
    pipeline.sync_rules(&mut connection, &rules)?;
    let mut figures = Figures::default();
    let done = pipeline.evaluate_and_deliver(&mut connection, &mut figures, stdout)?;
    finish(session, &mut connection, "alert", tick, begun, &mut figures)?;
    result(&figures, !done)
}
