//! What to do about an error, where the error itself does not say.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::alerting::RuleError;
use crate::cluster::tells_of_a_full_disk;
use crate::store::StoreError;
use crate::store::transaction::Locker;

const UNREACHED: &str = "is the server up, and may this user connect? The place in each log is \
     kept; the next run goes on there";
const LOST: &str = "what was read before is stored; the next run goes on there";
const READ_ONLY: &str = "the database takes no changes: is it a standby, or is \
     default_transaction_read_only set? Name one that tripline can write to";
const FORBIDDEN: &str = "connect as the role that owns tripline's tables, or grant that role to \
     this one";
const MIGRATOR: &str = "run tripline migrate once as a role that may create tables in the schema \
     and the extension btree_gist in the database";

/// What to do about an error, as a sentence for its own line.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    let error = match error.downcast_ref::<RuleError>() {
        Some(RuleError::Store(error)) => error,
        _ => error.downcast_ref::<StoreError>()?,
    };
    match error {
        StoreError::Connect { .. } => Some(UNREACHED.to_owned()),
        StoreError::Locked(locker) => Some(of_a_lock(locker.as_ref())),
        error if error.is_lost_connection() => Some(LOST.to_owned()),
        StoreError::Database(error) => of_the_server(error),
        StoreError::Migration(message) if forbids(message) => Some(MIGRATOR.to_owned()),
        _ => None,
    }
}

fn of_a_lock(locker: Option<&Locker>) -> String {
    let way_out = match locker {
        Some(locker) => format!(
            "end that transaction, or its session in psql: select pg_terminate_backend({});",
            locker.pid
        ),
        None => "see pg_locks for who has one;".to_owned(),
    };
    format!("{way_out} {LOST}")
}

fn of_the_server(error: &DieselError) -> Option<String> {
    let DieselError::DatabaseError(kind, information) = error else { return None };
    if matches!(kind, DatabaseErrorKind::ReadOnlyTransaction) {
        Some(READ_ONLY.to_owned())
    } else if tells_of_a_full_disk(information.message()) {
        Some(format!("make room on the disk of the database; {LOST}"))
    } else if let Some(hint) = information.hint() {
        Some(hint.to_owned())
    } else if forbids(information.message()) {
        Some(FORBIDDEN.to_owned())
    } else {
        None
    }
}

/// Whether the server misses a right. diesel knows no kind for that, nor shows the code.
fn forbids(message: &str) -> bool {
    ["permission denied", "must be owner", "no schema has been selected"]
        .iter()
        .any(|words| message.contains(words))
}
