//! The rows of a database, to be put back as often as need be.
//!
//! A new database for each of hundreds of runs would take longer than the runs.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;

use crate::support::program::rows;

/// All tables that hold rows, those that others refer to first.
const TABLES: [&str; 18] = [
    "sources",
    "ingest_state",
    "generations",
    "generation_lines",
    "ingest_tails",
    "ingest_gaps",
    "log_entries",
    "line_counts",
    "alert_rules",
    "hot_intervals",
    "bucket_counts",
    "counted_spans",
    "rule_backlog",
    "alerts",
    "alert_events",
    "notifications",
    "channel_states",
    "runs",
];

/// The rows of a database, kept in a schema of their own.
pub(crate) struct Snapshot {
    put_back: String,
}

impl Snapshot {
    /// Keeps what the database holds now.
    pub(crate) fn take(connection: &mut PgConnection) -> Self {
        let mut keep = vec!["create schema kept".to_owned()];
        let mut put_back: Vec<String> =
            TABLES.iter().rev().map(|table| format!("delete from {table}")).collect();
        for table in TABLES {
            let columns = format!(
                "select attname::text as value from pg_attribute
                 where attrelid = '{table}'::regclass and attnum > 0 and attgenerated = ''
                   and not attisdropped"
            );
            let columns = rows(connection, &columns).join(", ");
            keep.push(format!("create table kept.{table} as select {columns} from {table}"));
            put_back.push(format!("insert into {table} ({columns}) table kept.{table}"));
        }
        let partitions = "create table kept.partitions as
             select inhrelid from pg_inherits where inhparent = 'log_entries'::regclass";
        keep.push(partitions.to_owned());
        connection.batch_execute(&keep.join(";")).unwrap();
        // Several statements at once are one transaction.
        Self { put_back: put_back.join(";") }
    }

    /// Puts back the rows, and takes away the partitions that were made since.
    pub(crate) fn put_back(&self, connection: &mut PgConnection) {
        connection.batch_execute(&self.put_back).unwrap();
        let new_partitions = "select inhrelid::regclass::text as value from pg_inherits
             where inhparent = 'log_entries'::regclass
               and inhrelid not in (select inhrelid from kept.partitions)";
        for partition in rows(connection, new_partitions) {
            connection.batch_execute(&format!("drop table {partition}")).unwrap();
        }
    }
}
