//! Runs that are worth disturbing, each with all that it finds, to be repeated at will.

use std::fs;
use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;

use crate::snapshot::Snapshot;
use crate::support::TestDatabase;
use crate::support::program::{Setup, ran};
use crate::wait_for_the_server;

/// A run, and all that it finds.
pub(crate) struct Scenario {
    /// Logs, config and database, which nothing changes any more.
    before: Setup,
    /// Whether the database has no tables yet.
    is_empty: bool,
    arguments: Vec<String>,
}

/// A database in which the run of a scenario can be repeated.
pub(crate) struct Stand<'a> {
    scenario: &'a Scenario,
    setup: Setup,
    pub(crate) connection: PgConnection,
    snapshot: Option<Snapshot>,
}

impl Scenario {
    /// A run over two chunks of a log that nobody has read before.
    pub(crate) fn first_run() -> Self {
        let before = Setup::new();
        before.write("app.log", [FIRST_CHUNK, SECOND_CHUNK].concat());
        Self::run(before)
    }

    /// The same run when it has to make the tables too.
    pub(crate) fn in_an_empty_database() -> Self {
        let scenario = Self::first_run();
        make_empty(&mut scenario.before.database.connect());
        Self { is_empty: true, ..scenario }
    }

    /// A run that finds a log rotated, another one copied, other rules, and late entries.
    pub(crate) fn later_run() -> Self {
        let mut before = Setup::new();
        before.write("app.log", FIRST_CHUNK);
        before.write("other.log", "2026-01-15 11:58:00Z [FATAL] still firing\n");
        before.config(CONFIG);
        assert_eq!(ran(&mut before.command(["run"])).code, Some(0));
        before.append("app.log", SECOND_CHUNK);
        before.rename("app.log", "app.log.1");
        before.write("app.log", THIRD_CHUNK);
        fs::copy(before.path("other.log"), before.path("copy")).unwrap();
        before.rename("copy", "other.log");
        before.config(&CONFIG.replace("one", "two"));
        "2026-01-15T12:10:00Z".clone_into(&mut before.now);
        Self::run(before)
    }

    /// The half of a run that tells people, when the other half is done.
    pub(crate) fn alert() -> Self {
        let before = Setup::new();
        before.write("app.log", [FIRST_CHUNK, SECOND_CHUNK].concat());
        before.ingest_once();
        Self { arguments: vec!["alert".to_owned()], ..Self::run(before) }
    }

    fn run(before: Setup) -> Self {
        let mut arguments = vec!["run".to_owned(), format!("--chunk-bytes={}", FIRST_CHUNK.len())];
        if !before.path("tripline.toml").exists() {
            arguments.push(before.log().to_str().unwrap().to_owned());
        }
        wait_for_the_server(&mut before.database.connect());
        Self { before, is_empty: false, arguments }
    }

    pub(crate) fn stand(&self) -> Stand<'_> {
        let mut setup = Setup::on(TestDatabase::copy_of(&self.before.database.name));
        setup.now.clone_from(&self.before.now);
        let mut connection = setup.database.connect();
        let snapshot = (!self.is_empty).then(|| Snapshot::take(&mut connection));
        Stand { scenario: self, setup, connection, snapshot }
    }
}

impl Stand<'_> {
    pub(crate) fn url(&self) -> &str {
        self.setup.database.url()
    }

    /// The run, with the database at this URL.
    pub(crate) fn command(&self, url: &str) -> Command {
        let mut command = self.setup.command(&self.scenario.arguments);
        command.env("TRIPLINE_DATABASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
        let config = self.scenario.before.path("tripline.toml");
        if config.exists() {
            command.env("TRIPLINE_CONFIG", config);
        }
        command
    }

    /// Makes it as it was before the run.
    pub(crate) fn reset(&mut self) {
        match &self.snapshot {
            Some(snapshot) => snapshot.put_back(&mut self.connection),
            None => make_empty(&mut self.connection),
        }
    }
}

fn make_empty(connection: &mut PgConnection) {
    connection.batch_execute("drop schema public cascade; create schema public").unwrap();
}

/// Entries for two alerts.
const FIRST_CHUNK: &str = "\
2026-01-15 11:00:00Z [INFO] up
2026-01-15 11:00:01Z [ERROR] order 17 failed
2026-01-15 11:00:02Z [ERROR] order 18 failed
2026-01-15 11:00:03Z [ERROR] order 19 failed
2026-01-15 11:00:04Z [ERROR] order 20 failed
2026-01-15 11:00:05Z [ERROR] order 21 failed
2026-01-15 11:50:00Z [FATAL] disk full
";

/// What continues the last entry, what cannot be parsed, what is late, and what still fires.
const SECOND_CHUNK: &str = "\
\tat some.Class(File.java:17)
neither this nor that
2026-01-15 11:49:00Z [ERROR] order 22 failed
2026-01-15 11:59:00Z [FATAL] disk still full
";

/// The beginning of the next file: an entry goes on in it, alerts grow, and
/// one entry is of another week.
const THIRD_CHUNK: &str = "\
\tat some.Other(File.java:18)
2026-01-15 11:49:30Z [ERROR] order 23 failed
2026-01-15 11:53:00Z [FATAL] disk is full
2026-01-05 11:53:00Z [ERROR] order 1 failed
2026-01-15 12:09:00Z [WARN] disk is nearly full
";

const CONFIG: &str = r#"
[[source]]
name = "app one"
paths = ["LOGS/app.log", "LOGS/other.log"]

[[rule]]
name = "burst"
kind = "threshold"
count = 5
within = "5m"

[[rule]]
name = "orders one"
kind = "threshold"
pattern = "order .* failed"
count = 1
within = "1m"

[[rule]]
name = "fatal"
kind = "threshold"
levels = ["FATAL"]
count = 1
within = "5m"
"#;
