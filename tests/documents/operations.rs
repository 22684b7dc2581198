//! `docs/operations.md`: each procedure, done as it is described, to a database with a past.
//! Afterwards the next run goes on with nothing doubled and nothing lost.

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use tripline::cluster::{Cluster, DATABASE, Durability};

use crate::block::{Block, blocks};
use crate::scratch::Scratch;
use crate::support::program::{contents, rows};
use crate::user::{STATE, User};

const CONFIG: &str = ".config/tripline/tripline.toml";

fn section(name: &str) -> Vec<Block> {
    let blocks: Vec<_> =
        blocks("docs/operations.md").into_iter().filter(|block| block.section == name).collect();
    assert!(!blocks.is_empty(), "no block in section {name:?}");
    blocks
}

impl User {
    /// A user whose logs have left rows of every sort in the database.
    fn with_a_past() -> Self {
        let user = Self::new();
        user.live();
        user
    }

    fn live(&self) {
        // An entry that is older than the partitions, a burst, a stack trace, a wrong clock.
        self.append("app.log", "2019-06-01 08:00:00 [ERROR] old\n");
        for second in 0..5 {
            self.append("app.log", &format!("2026-01-15 11:58:0{second} [ERROR] burst {second}\n"));
        }
        self.append("app.log", "2030-01-01 00:00:00 [ERROR] too late\nno entry\n");
        self.append("app.log", "2026-01-15 11:59:00 [FATAL] thread panicked\n  at main.rs:1\n");
        self.append("other.log", "2026-01-15 11:59:00 [ERROR] one\n2026-01-15 11:59:01 [ER");
        self.tick("2026-01-15T12:00:00Z");
        // A rotation, and bytes that are lost.
        fs::rename(self.path("app.log"), self.path("app.log.1")).unwrap();
        self.append("app.log", "2026-01-15 12:00:30 [ERROR] after the rotation\n");
        fs::remove_file(self.path("other.log")).unwrap();
        self.append("other.log", "2026-01-15 12:00:31 [ERROR] two\n");
        let told = self.tick("2026-01-15T12:01:00Z");
        assert!(told.contains("lost"), "{told}");
    }

    fn append(&self, name: &str, text: &str) {
        let mut log = File::options().append(true).create(true).open(self.path(name)).unwrap();
        log.write_all(text.as_bytes()).unwrap();
    }

    /// Runs the job, as cron would at this time; returns what it says.
    fn tick(&self, now: &str) -> String {
        self.run(&format!("tripline run --now {now} app.log other.log"))
    }

    /// Goes on: the alerts of the past end, another one begins, and weeks later one more.
    fn go_on(&self) -> String {
        self.append("app.log", "2026-01-15 12:30:00 [FATAL] again\n\tat main.rs:2\n");
        let told = self.tick("2026-01-15T12:30:00Z");
        self.append("app.log", "2026-03-15 12:30:00 [ERROR] in spring\n");
        told + &self.tick("2026-03-15T12:31:00Z")
    }

    fn private(&self) -> PgConnection {
        let cluster = Cluster::new(self.path(STATE), Durability::ThrowAway);
        PgConnection::establish(&cluster.url(DATABASE)).unwrap()
    }
}

/// The schema, as far as people and the program see it.
fn schema(connection: &mut PgConnection) -> Vec<String> {
    rows(
        connection,
        "select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) as value
         from pg_constraint where connamespace = 'public'::regnamespace
         union all
         select indexdef from pg_indexes where schemaname = 'public'
         union all
         select viewname || definition from pg_views where schemaname = 'public'
         union all
         select concat_ws(' ', relname, attname, description)
         from pg_description join pg_class on pg_class.oid = objoid
         left join pg_attribute on attrelid = objoid and attnum = objsubid and attnum > 0
         where relnamespace = 'public'::regnamespace and classoid = 'pg_class'::regclass
         union all
         select extname || ' ' || extversion from pg_extension
         order by value",
    )
}

/// What the logs of [`User::live`] and [`User::go_on`] give.
const OUTCOME: [&str; 21] = [
    r#"app.log: 1 ERROR 2019-06-01 08:00:00 "old""#,
    r#"app.log: 2 ERROR 2026-01-15 11:58:00 "burst 0""#,
    r#"app.log: 3 ERROR 2026-01-15 11:58:01 "burst 1""#,
    r#"app.log: 4 ERROR 2026-01-15 11:58:02 "burst 2""#,
    r#"app.log: 5 ERROR 2026-01-15 11:58:03 "burst 3""#,
    r#"app.log: 6 ERROR 2026-01-15 11:58:04 "burst 4""#,
    r#"app.log: 9 FATAL 2026-01-15 11:59:00 "thread panicked\n  at main.rs:1""#,
    r#"app.log: 7 ERROR 2026-01-15 12:00:00 "too late""#,
    r#"app.log: 11 ERROR 2026-01-15 12:00:30 "after the rotation""#,
    r#"app.log: 12 FATAL 2026-01-15 12:30:00 "again\n\tat main.rs:2""#,
    r#"app.log: 14 ERROR 2026-03-15 12:30:00 "in spring""#,
    "app.log: alert error-burst 2026-01-15 11:58:04 8",
    "app.log: alert fatal 2026-01-15 11:59:00 1",
    "app.log: alert fatal 2026-01-15 12:30:00 1",
    "app.log: lines 14 generations 2",
    "app.log: counted 14",
    r#"other.log: 1 ERROR 2026-01-15 11:59:00 "one""#,
    r#"other.log: 2 ERROR 2026-01-15 12:00:31 "two""#,
    "other.log: lines 2 generations 2",
    "other.log: counted 2",
    "other.log: gap 23",
];

/// Checks that the logs have given this, whatever happened to the database in between.
#[track_caller]
fn expect_outcome(connection: &mut PgConnection) {
    let outcome = rows(
        connection,
        "select name || ': ' || row as value
         from (
             select source_id, 1 as kind, logged_at as at,
                    concat_ws(' ', line_no, level, to_char(logged_at, 'YYYY-MM-DD HH24:MI:SS'), to_json(message)) as row
             from log_entries
             union all
             select source_id, 2, started_at,
                    concat_ws(' ', 'alert', alert_rules.name, to_char(started_at, 'YYYY-MM-DD HH24:MI:SS'),
                              measured, case when resolved_at is null then 'fires' end)
             from alerts join alert_rules on alert_rules.id = rule_id
             union all
             select source_id, 3, null, 'lines ' || line_no || ' generations ' || generation from ingest_state
             union all
             select source_id, 4, null, 'counted ' || sum(error + fatal + continued + unparsed)
             from line_counts group by source_id
             union all
             select source_id, 5, null, 'gap ' || lost_bytes from ingest_gaps
         ) facts
         cross join lateral (
             select substring(path from '[^/]*$') as name from sources where id = source_id
         ) source
         order by name, kind, at, row",
    );
    assert_eq!(outcome, OUTCOME);
}

#[test]
fn a_backup_is_restored_and_the_next_run_goes_on() {
    let user = User::with_a_past();
    user.follow(&section("Backup"));
    let before = (schema(&mut user.private()), contents(&mut user.private()));
    user.go_on();
    expect_outcome(&mut user.private());

    user.follow(&section("Restore"));
    assert_eq!((schema(&mut user.private()), contents(&mut user.private())), before);
    let told = user.tick("2026-03-15T12:31:00Z");
    // It was told before, but the database does not know that any more.
    assert!(told.contains("RESOLVED: critical fatal"), "{told}");
    expect_outcome(&mut user.private());
}

#[test]
fn a_database_moves_to_another_server_and_back() {
    let user = User::with_a_past();
    let before = (schema(&mut user.private()), contents(&mut user.private()));
    let mut user = user;
    let other = OtherServer::new();
    other.introduce(&mut user);
    let blocks = section("Moving to another database");
    let (there, back) = blocks.split_at(blocks.len() - 1);

    user.write_files(there);
    user.follow(there);
    assert!(!user.path(STATE).join("data").exists());
    assert_eq!((schema(&mut other.connect()), contents(&mut other.connect())), before);
    user.go_on();
    expect_outcome(&mut other.connect());

    user.set_up();
    user.follow(back);
    fs::write(user.path(CONFIG), "").unwrap();
    drop(other);
    assert_eq!(user.tick("2026-03-15T12:32:00Z"), "");
    expect_outcome(&mut user.private());
}

#[test]
fn a_renamed_host_goes_on() {
    let user = User::new();
    fs::create_dir_all(user.path(CONFIG).parent().unwrap()).unwrap();
    fs::write(user.path(CONFIG), "host = 'web1'").unwrap();
    user.live();
    user.follow(&section("Renaming a host"));
    fs::write(user.path(CONFIG), "host = 'web2'").unwrap();
    user.go_on();
    expect_outcome(&mut user.private());
    assert_eq!(
        rows(
            &mut user.private(),
            "select distinct host as value from sources union select host from alert_rules
             union select host from notifications union select host from runs",
        ),
        ["web2"]
    );
}

#[test]
fn logs_move_are_read_anew_and_go() {
    let user = User::with_a_past();
    user.follow(&section("Logs that move, change or go"));
    let messages = "select name || ' ' || message as value
                    from log_entries
                    cross join lateral (select substring(path from '[^/]*/[^/]*$') as name
                                        from sources where id = source_id) source
                    order by line_no";
    assert_eq!(rows(&mut user.private(), messages), [""; 0]);
    user.append("logs/app.log", "2026-01-15 12:01:30 [ERROR] after the reset\n");
    assert_eq!(user.run("tripline run --now 2026-01-15T12:02:00Z logs/app.log"), "");
    assert_eq!(
        rows(&mut user.private(), messages),
        ["logs/app.log after the rotation", "logs/app.log after the reset"]
    );
    assert_eq!(rows(&mut user.private(), "select path as value from sources").len(), 1);
}

#[test]
fn an_upgrade_of_postgresql_takes_everything_along() {
    let user = User::with_a_past();
    let before = (schema(&mut user.private()), contents(&mut user.private()));
    user.follow(&section("Backup"));
    user.follow(&section("Upgrading"));
    assert_eq!((schema(&mut user.private()), contents(&mut user.private())), before);
    user.go_on();
    expect_outcome(&mut user.private());
}

#[test]
fn nothing_is_left_behind() {
    let user = User::with_a_past();
    fs::create_dir_all(user.path(CONFIG).parent().unwrap()).unwrap();
    fs::write(user.path(CONFIG), "").unwrap();
    user.follow(&section("Uninstalling"));
    let left: Vec<_> = walk(user.home.path());
    assert_eq!(left, ["app.log", "app.log.1", "nothing.toml", "other.log"]);
}

/// The paths of all files below a folder.
fn walk(folder: &std::path::Path) -> Vec<String> {
    let output = Command::new("find").args([".", "-type", "f"]).current_dir(folder).output();
    let printed = String::from_utf8(output.unwrap().stdout).unwrap();
    let mut paths: Vec<_> =
        printed.lines().map(|path| path.trim_start_matches("./").to_owned()).collect();
    paths.sort();
    paths
}

/// Somebody's own PostgreSQL: one in which whoever comes by the socket may be any role.
struct OtherServer {
    scratch: Scratch,
}

impl OtherServer {
    fn new() -> Self {
        let scratch = Scratch::below("state", Durability::ThrowAway);
        scratch.cluster.ensure_running().unwrap();
        // As everywhere, its superuser is postgres, and there is no role tripline yet.
        scratch.query("create role other superuser login");
        scratch.cluster.stop().unwrap();
        let data = scratch.cluster.base().join("data");
        fs::write(data.join("pg_hba.conf"), "local all all trust\n").unwrap();
        scratch.cluster.ensure_running().unwrap();
        let server = Self { scratch };
        let mut other = server.connect_as("other", "postgres");
        diesel::sql_query("alter role tripline rename to postgres").execute(&mut other).unwrap();
        server
    }

    /// The folder of its socket in the form that a URL takes for a host.
    fn host(&self) -> String {
        self.scratch.cluster.socket_folder().to_str().unwrap().replace('/', "%2F")
    }

    fn connect_as(&self, role: &str, database: &str) -> PgConnection {
        PgConnection::establish(&format!("postgresql://{role}@{}/{database}", self.host())).unwrap()
    }

    fn connect(&self) -> PgConnection {
        self.connect_as("tripline", "logs")
    }

    /// Makes it the server that the user's programs use, and that `db.example` stands for.
    fn introduce(&self, user: &mut User) {
        let folder = self.scratch.cluster.socket_folder();
        user.variables = vec![
            ("PGHOST", folder.to_str().unwrap().to_owned()),
            ("PGUSER", "postgres".to_owned()),
        ];
        user.replaced = vec![("db.example", self.host())];
    }
}
