//! Somebody else keeps locks on tripline's tables.
//!
//! The run ends, says whose transaction it is, and the next run goes on.

use std::thread;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use expect_test::expect;

use crate::said;
use crate::support::program::{Ran, Setup, rows};

/// A log with one error, which is read, and another one, which is not.
///
/// Runs wait for the shortest while only, which anybody may set so.
fn setup() -> Setup {
    let setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\n");
    setup.ingest();
    setup.append("app.log", "2026-01-15 11:01:00 [ERROR] two\n");
    let name = &setup.database.name;
    execute(&setup, &format!("alter database {name} set lock_timeout = '100ms'"));
    setup
}

fn execute(setup: &Setup, statements: &str) {
    setup.database.connect().batch_execute(statements).unwrap();
}

fn run(setup: &Setup) -> Ran {
    setup.run(["run".into(), setup.log()])
}

/// Somebody at a psql who has begun a transaction and has not ended it.
fn somebody(setup: &Setup, statements: &str) -> PgConnection {
    let mut connection = setup.database.connect();
    connection.batch_execute("set application_name = 'psql'").unwrap();
    connection.batch_execute(&format!("begin; {statements}")).unwrap();
    connection
}

/// A run ends with a message, and when `somebody` is gone all is as it should be.
#[track_caller]
fn expect_message(setup: &Setup, mut somebody: PgConnection) {
    let known = "select pg_backend_pid()::text as value
                 union all select current_user::text
                 union all select to_char(xact_start at time zone 'UTC', 'yyyy-mm-dd hh24:mi:ss')
                 from pg_stat_activity where pid = pg_backend_pid()";
    let known = rows(&mut somebody, known);
    let ended = run(setup);
    let said = said(setup, &ended, 1).replace(&known[0], "PID").replace(&known[2], "TIME");
    expect![[r#"
        tripline: error: waited too long for a lock on tripline's tables; the oldest transaction that uses them is that of process PID (user NAME, psql, idle in transaction since TIMEZ)
        tripline: hint: end that transaction, or its session in psql: select pg_terminate_backend(PID); what was read before is stored; the next run goes on there
    "#]].assert_eq(&said.replace(&format!("user {}", known[1]), "user NAME"));
    somebody.batch_execute("rollback").unwrap();
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two"]);
}

#[test]
fn a_table_is_locked() {
    for table in
        ["__diesel_schema_migrations", "alert_rules", "sources", "ingest_state", "log_entries"]
    {
        let setup = setup();
        let somebody = somebody(&setup, &format!("lock table {table} in access exclusive mode"));
        expect_message(&setup, somebody);
    }
}

#[test]
fn the_alerts_are_locked_for_writing_and_the_entries_are_stored_meanwhile() {
    let setup = setup();
    setup.append("app.log", "2026-01-15 11:59:00 [FATAL] three\n");
    let somebody = somebody(&setup, "lock table alerts in share mode");
    let ended = run(&setup);
    let said = said(&setup, &ended, 1);
    assert!(said.starts_with("tripline: error: waited too long for a lock"), "{said}");
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two", "FATAL three"]);
    drop(somebody);
    let next = run(&setup);
    assert_eq!((next.code, next.stdout.lines().count()), (Some(0), 1));
}

#[test]
fn the_row_of_a_source_is_locked() {
    let setup = setup();
    let somebody = somebody(&setup, "select from ingest_state for update");
    expect_message(&setup, somebody);
}

#[test]
fn a_reader_who_forgot_to_end_keeps_a_partition_from_being_made() {
    let setup = setup();
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\n2026-01-05 11:01:00 [ERROR] two\n");
    let somebody = somebody(&setup, "select from log_entries");
    expect_message(&setup, somebody);
}

#[test]
fn an_alteration_waits_for_a_reader_and_everybody_else_for_the_alteration() {
    let setup = setup();
    let somebody = somebody(&setup, "select from ingest_state");
    thread::scope(|scope| {
        scope.spawn(|| {
            let alter = "set lock_timeout = 0; alter table ingest_state add column more int";
            execute(&setup, alter);
        });
        let waits = "select '' as value from pg_locks
                     where relation = 'ingest_state'::regclass and not granted";
        while setup.rows(waits).is_empty() {}
        expect_message(&setup, somebody);
    });
}

#[test]
fn a_partition_that_is_not_needed_yet_is_made_when_the_reader_is_gone() {
    let mut setup = setup();
    "2026-01-22T12:00:00Z".clone_into(&mut setup.now);
    let partitions = "select count(*)::text as value from pg_inherits
                      where inhparent = 'log_entries'::regclass";
    let before = setup.value(partitions);
    let mut somebody = somebody(&setup, "select from log_entries");
    run(&setup).expect_silence();
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two"]);
    assert_eq!(setup.value(partitions), before);
    somebody.batch_execute("rollback").unwrap();
    setup.append("app.log", "2026-01-15 11:02:00 [ERROR] three\n");
    run(&setup).expect_silence();
    assert_ne!(setup.value(partitions), before);
}
