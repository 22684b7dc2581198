//! What people do to sources by hand: forgetting one, having one read anew, renaming.
//!
//! Each is one transaction. A run that is at work on the source meanwhile, perhaps on another
//! host, finds its place gone ([`StoreError::Overtaken`]) and stores nothing of it.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::transaction::{Patience, execute_alone, transaction};
use super::{StoreError, from_bigint, sources};
use crate::model::{FileIdentity, Place, SourceId};

/// Tables with rows of a source that are made of its lines, but for its alerts.
pub const READ: [&str; 8] = [
    "log_entries",
    "line_counts",
    "bucket_counts",
    "counted_spans",
    "ingest_gaps",
    "ingest_tails",
    "generations",
    "generation_lines",
];

/// Tables with rows of a source that outlast reading it anew, in the order in which they may
/// be emptied.
pub const KEPT: [&str; 6] =
    ["notifications", "alert_events", "alerts", "hot_intervals", "rule_backlog", "message_shapes"];

/// What was deleted with a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Stored entries.
    pub entries: usize,
    /// Alerts, open or over.
    pub alerts: usize,
}

/// Deletes a source and everything of it; `None` if it is not there any more.
pub fn forget(
    connection: &mut PgConnection,
    source: SourceId,
) -> Result<Option<Deleted>, StoreError> {
    transaction(connection, Patience::Endless, |connection| {
        if lock(connection, source)?.is_none() {
            return Ok(None);
        }
        let mut deleted = delete_what_was_read(connection, source)?;
        for table in KEPT {
            let rows = delete(connection, table, source)?;
            if table == "alerts" {
                deleted.alerts = rows;
            }
        }
        delete(connection, "ingest_state", source)?;
        diesel::sql_query("delete from sources where id = $1")
            .bind::<BigInt, _>(source.0)
            .execute(connection)?;
        Ok(Some(deleted))
    })
}

/// Deletes what was read from a source, so that the next run reads its file from the beginning;
/// `None` if the source is not there any more.
///
/// Its alerts stay, with what was told about them: what the same lines give again is theirs.
/// `beginning` says what the place before the first byte of a file is.
pub fn reset(
    connection: &mut PgConnection,
    source: SourceId,
    beginning: impl Fn(FileIdentity) -> Place,
) -> Result<Option<Deleted>, StoreError> {
    transaction(connection, Patience::Endless, |connection| {
        let Some(file) = lock(connection, source)? else { return Ok(None) };
        let deleted = delete_what_was_read(connection, source)?;
        // A new row, so that every column begins as in a source that was never read.
        delete(connection, "ingest_state", source)?;
        diesel::sql_query("insert into ingest_state (source_id) values ($1)")
            .bind::<BigInt, _>(source.0)
            .execute(connection)?;
        // The file stays known: one that was rotated meanwhile is found and read first.
        if let Some(file) = file.identity() {
            sources::begin(connection, source, &beginning(file))?;
        }
        Ok(Some(deleted))
    })
}

/// Notes that the log of a source lies at another path of its host.
///
/// A source without a name of its own is named by its path, as ever.
pub fn rename(
    connection: &mut PgConnection,
    source: SourceId,
    path: &str,
) -> Result<(), StoreError> {
    let statement = diesel::sql_query(
        "with renamed as (
             update sources set path = $2, name = case when name = path then $2 else name end
             where id = $1
             returning id
         )
         update ingest_state set judge_again = true, recount = true
         from (
             -- In the order in which an evaluation locks them.
             select state.source_id
             from renamed
             join sources judged on judged.id = renamed.id or judged.host = '*'
             join ingest_state state on state.source_id = judged.id
             order by judged.host = '*', judged.id
             for update of state
         ) judged
         where ingest_state.source_id = judged.source_id",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Text, _>(path);
    execute_alone(connection, statement)?;
    Ok(())
}

/// Moves everything of a host to another name. Returns how many sources that are.
///
/// Where both names have a rule of one name, there is one rule afterwards; the next run gives
/// it what the config says.
pub fn rename_host(
    connection: &mut PgConnection,
    old: &str,
    new: &str,
) -> Result<usize, StoreError> {
    transaction(connection, Patience::Endless, |connection| {
        let mut run = |statement: &str| {
            diesel::sql_query(statement)
                .bind::<Text, _>(old)
                .bind::<Text, _>(new)
                .execute(connection)
        };
        let sources = run("update sources set host = $2 where host = $1")?;
        run(include_str!("join_rules.sql"))?;
        run(include_str!("join_stand_ins.sql"))?;
        run("delete from sources old using sources new
             where old.host = '*' and old.path = $1 and new.host = '*' and new.path = $2")?;
        run("update sources set path = $2 where host = '*' and path = $1")?;
        run("delete from alert_rules old using alert_rules new
             where old.host = $1 and new.host = $2 and new.name = old.name")?;
        // How its channels do is known after the next delivery.
        run("delete from channel_states where host = $1 and $2 <> $1")?;
        for table in ["alert_rules", "notifications", "runs"] {
            run(&format!("update {table} set host = $2 where host = $1"))?;
        }
        // Other rules may judge them now.
        run("update ingest_state set judge_again = true, recount = true
             from sources
             where sources.id = source_id and (sources.host = $2 or sources.path in ($1, $2))")?;
        Ok(sources)
    })
}

/// The file of a locked source.
#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Nullable<BigInt>)]
    device: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    inode: Option<i64>,
}

impl Locked {
    fn identity(&self) -> Option<FileIdentity> {
        let (device, inode) = self.device.zip(self.inode)?;
        Some(FileIdentity { device: from_bigint(device), inode: from_bigint(inode) })
    }
}

/// Waits until no run is within a transaction about the source, and keeps others out.
fn lock(connection: &mut PgConnection, source: SourceId) -> Result<Option<Locked>, StoreError> {
    Ok(diesel::sql_query("select device, inode from ingest_state where source_id = $1 for update")
        .bind::<BigInt, _>(source.0)
        .get_result(connection)
        .optional()?)
}

fn delete_what_was_read(
    connection: &mut PgConnection,
    source: SourceId,
) -> Result<Deleted, StoreError> {
    let mut deleted = Deleted::default();
    for table in READ {
        let rows = delete(connection, table, source)?;
        if table == "log_entries" {
            deleted.entries = rows;
        }
    }
    // What stands for all sources has counted its lines, too.
    diesel::sql_query(
        "update ingest_state set recount = true
         where source_id in (select id from sources where host = '*')",
    )
    .execute(connection)?;
    Ok(deleted)
}

/// Deletes the rows of a source. The names of tables are those above.
fn delete(connection: &mut PgConnection, table: &str, source: SourceId) -> QueryResult<usize> {
    diesel::sql_query(format!("delete from {table} where source_id = $1"))
        .bind::<BigInt, _>(source.0)
        .execute(connection)
}
