//! `tripline source list` and `forget`.

use std::io::Write;
use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection;
use expect_test::expect;
use tripline::model::SourceId;
use tripline::store::housekeeping;

use crate::support::program::{Setup, ran};
use crate::{contents_without, line, printed, said};

const CONFIG: &str = r#"
    host = "web1"
    [[source]]
    name = "app"
    paths = ["LOGS/app.log"]
    [[source]]
    paths = ["LOGS/other.log"]
"#;

/// Two sources, each with rows in every table.
fn setup() -> Setup {
    let setup = Setup::new();
    setup.config(CONFIG);
    for name in ["app.log", "other.log"] {
        setup.write(name, line(0, "FATAL", "one") + "no entry\n");
    }
    setup.run(["run"]);
    for name in ["app.log", "other.log"] {
        setup.rename(name, &format!("{name}.1"));
        setup.write(name, line(60, "ERROR", "two"));
    }
    setup.run(["run"]);
    for name in ["app.log", "other.log"] {
        setup.rename(name, &format!("{name}.1"));
        std::fs::remove_file(setup.path(&format!("{name}.1"))).unwrap();
        setup.write(name, line(70, "ERROR", "three"));
    }
    setup.run(["run"]);
    assert_eq!(setup.gaps().len(), 2);
    setup
}

#[test]
fn all_sources_are_listed() {
    let setup = setup();
    let list = setup.run(["source", "list"]);
    expect![[r#"
        HOST | NAME | PATH | LINES | ALERTS | LAST ENTRY
        web1 | - | LOGS/other.log | 4 | 1 | 2026-01-15 11:01:10Z
        web1 | app | LOGS/app.log | 4 | 1 | 2026-01-15 11:01:10Z
    "#]]
    .assert_eq(&one_blank(&printed(&setup, &list)));
    let list = setup.run(["source", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(list[1]["name"], "app");
    assert_eq!(list[1]["host"], "web1");
    assert_eq!(list[1]["lines"], 4);
    assert_eq!(list[1]["first_seen_at"], "2026-01-15T12:00:00Z");
    assert_eq!(list.as_array().unwrap().len(), 2);
}

/// Without the width of the columns, which is that of the folder's name.
fn one_blank(table: &str) -> String {
    let cells = |line: &str| {
        let cells: Vec<_> =
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        cells.join(" | ") + "\n"
    };
    table.lines().map(cells).collect()
}

#[test]
fn everything_of_one_source_goes_and_nothing_else() {
    let setup = setup();
    let id = setup.value("select id::text as value from sources where name = 'app'");
    let others = contents_without(&setup, &id);
    assert!(others.len() + 5 < setup.contents().len());

    let forgot = setup.run(["source", "forget", "app", "--yes"]);
    assert_eq!(printed(&setup, &forgot), "forgot LOGS/app.log on web1 (entries: 3, alerts: 1)\n");
    assert_eq!(setup.contents(), others);
    let again = setup.run(["source", "forget", "app", "--yes"]);
    expect![[r#"
        tripline: error: there is no source "app" on web1; see: tripline source list
    "#]]
    .assert_eq(&said(&setup, &again, 2));

    // The log is still there: it is a new source, and its alerts are new.
    let run = setup.run(["run"]);
    assert_eq!(run.code, Some(0));
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.entries(), ["ERROR three", "FATAL one", "ERROR two", "ERROR three"]);
}

/// Whoever adds a table says what becomes of it when a source is forgotten.
#[test]
fn all_tables_with_rows_of_a_source_are_known() {
    let setup = Setup::new();
    let mut known = vec!["ingest_state"];
    known.extend(housekeeping::READ);
    known.extend(housekeeping::KEPT);
    known.sort_unstable();
    let tables = setup.rows(
        "select relname::text as value
         from pg_attribute
         join pg_class on pg_class.oid = attrelid
         where attname = 'source_id' and relkind in ('r', 'p') and not relispartition
         order by 1",
    );
    assert_eq!(tables, known);
}

#[test]
fn without_a_terminal_nobody_is_asked_and_nothing_goes() {
    let setup = setup();
    let before = setup.contents();
    let refused = setup.run(["source", "forget", "other.log", "--host", "web1"]);
    expect![[r#"
        tripline: error: there is no source "other.log" on web1; did you mean "LOGS/other.log"?
    "#]]
    .assert_eq(&said(&setup, &refused, 2));
    let other = setup.path("other.log");
    let refused = setup.run(["source".as_ref(), "forget".as_ref(), other.as_os_str()]);
    expect![[r#"
        tripline: error: this deletes everything about LOGS/other.log on web1 (lines: 4, alerts: 1); the log itself stays; repeat the command with --yes
    "#]]
    .assert_eq(&said(&setup, &refused, 2));
    assert_eq!(setup.contents(), before);
}

/// Runs the command on a terminal, and types an answer.
fn on_a_terminal(setup: &Setup, answer: &str) -> (Option<i32>, String) {
    let program = setup.command([""; 0]);
    let words = ["source", "forget", "app"];
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command"]);
    script.arg(format!("{} {}", program.get_program().to_str().unwrap(), words.join(" ")));
    script.arg("/dev/null").env_clear().env("PATH", "/usr/bin:/bin");
    for (name, value) in program.get_envs() {
        script.env(name, value.unwrap());
    }
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn on_a_terminal_somebody_is_asked() {
    let setup = setup();
    let before = setup.contents();
    let (code, asked) = on_a_terminal(&setup, "n\n");
    assert!(
        asked.contains("(lines: 4, alerts: 1); the log itself stays. Go on? [y/N] "),
        "{asked}"
    );
    assert_eq!((code, setup.contents()), (Some(0), before));
    let (code, told) = on_a_terminal(&setup, "y\n");
    assert!(told.contains("forgot "), "{told}");
    assert_eq!((code, setup.rows("select name as value from sources").len()), (Some(0), 1));
}

#[test]
fn a_run_at_work_is_waited_for() {
    let setup = setup();
    let lock = setup.path("lock");
    setup.config(&CONFIG.replace("host =", "lock_file = \"LOGS/lock\"\nhost ="));
    let held = tripline::lock::RunLock::take(&lock, std::time::Duration::ZERO).unwrap();
    let before = setup.contents();
    let refused = setup.run(["source", "forget", "app", "--yes"]);
    expect![[r#"
        tripline: error: a run is at work; try again, or wait for it: --wait SECONDS
    "#]]
    .assert_eq(&said(&setup, &refused, 75));
    assert_eq!(setup.contents(), before);

    let mut waits = setup.command(["source", "forget", "app", "--yes", "--wait", "60"]);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || ran(&mut waits));
        drop(held);
        assert_eq!(waiting.join().unwrap().code, Some(0));
    });
    assert_eq!(setup.rows("select name as value from sources").len(), 1);
}

/// Another user's run, or another host's, knows nothing of our locks.
#[test]
fn a_run_that_reads_a_source_while_it_is_forgotten_stores_nothing_of_it() {
    let setup = setup();
    let mut connection = setup.database.connect();
    connection.batch_execute("begin; select 1 from ingest_state for update").unwrap();
    setup.append("app.log", line(80, "ERROR", "four"));
    let mut ingest = setup.command(["ingest"]);
    let id: i64 =
        setup.value("select id::text as value from sources where name = 'app'").parse().unwrap();
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || ran(&mut ingest));
        let waits = "select count(*)::text as value from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock'";
        while setup.value(waits) == "0" {}
        assert!(housekeeping::forget(&mut connection, SourceId(id)).unwrap().is_some());
        connection.batch_execute("commit").unwrap();
        let ran = reading.join().unwrap();
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(75), "", ""));
    });
    assert_eq!(setup.entries(), ["FATAL one", "ERROR two", "ERROR three"]);
}
