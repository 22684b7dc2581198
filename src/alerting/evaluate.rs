//! Asks the views what holds, and records it.
//!
//! One transaction a source, under the lock of its `ingest_state` row. What is stored always
//! becomes what the complete data give: late entries lengthen an episode, start it earlier,
//! join two, or take one back. A long backlog is evaluated in slices, each committed, so that no
//! amount of it can run into the statement time-out for ever.
//!
//! Short slices of many sources are evaluated in one transaction: to plan the statements takes far
//! longer than to carry them out.
//!
//! A rule across sources is evaluated for the source that stands for them, which is told what
//! was evaluated of each.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};

use super::failing::{self, RuleFailure};
use super::judge::{Rules, judge};
use super::slice::{self, Locked, Slice};
use crate::model::{SourceId, Tick};
use crate::store::StoreError;
use crate::store::transaction::{Patience, load_alone, transaction};

/// Entries that one transaction looks at, besides a window around them.
const SLICE_ENTRIES: u32 = 100_000;
/// The same for each of several sources.
const FEW_ENTRIES: u32 = 1_000;

/// A source with which something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The source.
    pub source: SourceId,
    /// Whether it stands for all others, which are to be evaluated before it.
    pub stands_for_others: bool,
}

/// Sources whose entries are not evaluated yet, or whose alerts are to be announced: those of
/// `host`, or of every host.
pub fn sources_to_evaluate(
    connection: &mut PgConnection,
    host: Option<&str>,
    tick: Tick,
) -> Result<Vec<Pending>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        source_id: i64,
        #[diesel(sql_type = Bool)]
        stands_for_others: bool,
    }
    let query = diesel::sql_query(include_str!("sources_to_evaluate.sql"))
        .bind::<Nullable<Text>, _>(host)
        .bind::<Timestamptz, _>(tick.0);
    let rows: Vec<Row> = load_alone(connection, query)?;
    let pending = |row: Row| {
        let Row { source_id, stands_for_others } = row;
        Pending { source: SourceId(source_id), stands_for_others }
    };
    Ok(rows.into_iter().map(pending).collect())
}

/// Evaluates everything of a source that is not evaluated yet, and records the alerts.
///
/// Returns the rules that failed; what they missed is left to a later run.
pub fn evaluate(
    connection: &mut PgConnection,
    source: SourceId,
    tick: Tick,
) -> Result<Vec<RuleFailure>, StoreError> {
    evaluate_in_slices(connection, source, tick, SLICE_ENTRIES)
}

/// The same with about `slice_entries` entries a transaction. The result does not depend on it.
pub fn evaluate_in_slices(
    connection: &mut PgConnection,
    source: SourceId,
    tick: Tick,
    slice_entries: u32,
) -> Result<Vec<RuleFailure>, StoreError> {
    let mut failures = Vec::new();
    let mut is_first = true;
    while evaluate_slice(connection, source, tick, slice_entries, is_first, &mut failures)? {
        is_first = false;
    }
    Ok(failures)
}

/// Evaluates one slice; `true` while there is more.
fn evaluate_slice(
    connection: &mut PgConnection,
    source: SourceId,
    tick: Tick,
    slice_entries: u32,
    is_first: bool,
    failures: &mut Vec<RuleFailure>,
) -> Result<bool, StoreError> {
    transaction(connection, Patience::Long, |connection| {
        let locked = slice::lock(connection, &[source], tick, Locked::WaitedFor)?;
        if is_first {
            slice::take_held(connection, &locked)?;
        }
        let Some(slice) = slice::take(connection, &locked, slice_entries)?.pop() else {
            return Ok(false);
        };
        slice::narrow(connection, &[&slice])?;
        slice::forget_counts(connection, &[&slice])?;
        let waiting = failing::evaluate(connection, &slice, tick, failures)?;
        slice::release(connection, &[&slice], &waiting)?;
        Ok(slice.has_more())
    })
}

/// Sources that are not evaluated to the end.
#[derive(Debug, Default)]
pub struct Left {
    /// These go on after the slice that was evaluated, and may do so together.
    pub more: Vec<SourceId>,
    /// These are to be evaluated by themselves: somebody has locked them, or rules have failed.
    pub alone: Vec<SourceId>,
}

/// Evaluates a short slice of each of some sources, all in one transaction, and returns what is
/// left. After an error nothing is done.
pub fn evaluate_together(
    connection: &mut PgConnection,
    sources: &[SourceId],
    tick: Tick,
) -> Result<Left, StoreError> {
    transaction(connection, Patience::Shortest, |connection| {
        // Nobody is to wait for all of these because one of them has to be waited for.
        let locked = slice::lock(connection, sources, tick, Locked::LeftOut)?;
        slice::take_held(connection, &locked)?;
        let slices = slice::take(connection, &locked, FEW_ENTRIES)?;
        let (sound, failing): (Vec<&Slice>, Vec<&Slice>) =
            slices.iter().partition(|slice| slice.failing.is_empty());
        if !sound.is_empty() {
            slice::narrow(connection, &sound)?;
            slice::forget_counts(connection, &sound)?;
            let waiting = judge(connection, &sound, &Rules::ALL, tick)?;
            slice::release(connection, &sound, &waiting)?;
        }
        let is_locked = |source: &SourceId| locked.iter().any(|one| one.source() == *source);
        let others = sources.iter().copied().filter(|source| !is_locked(source));
        Ok(Left {
            more: sound.iter().filter(|slice| slice.has_more()).map(|one| one.source).collect(),
            alone: others.chain(failing.iter().map(|slice| slice.source)).collect(),
        })
    })
}
