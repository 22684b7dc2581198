//! The program as its users run it: the real binary, with a database and a folder of its own.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use diesel::pg::PgConnection;
use diesel::prelude::*;
use tempfile::TempDir;

use super::{TestDatabase, TextValue};

/// The time of a run, where a test does not say another.
pub(crate) const NOW: &str = "2026-01-15T12:00:00Z";

/// A database, a folder for logs, config and locks, and the program.
pub(crate) struct Setup {
    pub(crate) database: TestDatabase,
    pub(crate) folder: TempDir,
    /// Time of the runs, for `--now`.
    pub(crate) now: String,
    /// Time zone of the host, for `TZ`.
    pub(crate) zone: &'static str,
}

/// What a run of the program left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self::on(TestDatabase::new())
    }

    /// The same on a database that is there.
    pub(crate) fn on(database: TestDatabase) -> Self {
        let folder = tempfile::tempdir().expect("create a folder");
        Self { database, folder, now: NOW.to_owned(), zone: "UTC" }
    }

    /// The path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The path of the log that most tests read.
    pub(crate) fn log(&self) -> PathBuf {
        self.path("app.log")
    }

    /// Makes a file, or replaces its content in place.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("write a file");
    }

    /// Appends to a file.
    pub(crate) fn append(&self, name: &str, content: impl AsRef<[u8]>) {
        append(&self.path(name), content.as_ref());
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("rename a file");
    }

    /// The content of a file.
    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).expect("read a file")).into_owned()
    }

    /// A config from which every run takes its settings, from now on. `LOGS` in it stands for
    /// the folder.
    pub(crate) fn config(&self, text: &str) {
        let folder = self.folder.path().to_str().expect("the folder's name is UTF-8");
        self.write("tripline.toml", text.replace("LOGS", folder));
    }

    /// The program, with nothing of our own environment.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tripline"));
        command
            .env_clear()
            .env("TRIPLINE_DATABASE_URL", self.database.url())
            .env("TRIPLINE_STATE_DIR", self.path("state"))
            .env("TZ", self.zone)
            .args(["--now", &self.now])
            .args(arguments)
            .stdin(Stdio::null());
        if self.path("tripline.toml").exists() {
            command.env("TRIPLINE_CONFIG", self.path("tripline.toml"));
        }
        command
    }

    /// Runs the program.
    pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// Reads the log that most tests read, once, and expects that to go well and silently.
    pub(crate) fn ingest_once(&self) {
        self.run(["ingest".as_ref(), self.log().as_os_str()]).expect_silence();
    }

    /// Reads the log, and checks that a second run changes nothing at all.
    pub(crate) fn ingest(&self) {
        self.twice(["ingest".as_ref(), self.log().as_os_str()]);
    }

    /// Runs the program twice, silently, and checks that the second run changes nothing at all.
    pub(crate) fn twice<S: AsRef<std::ffi::OsStr> + Clone>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) {
        let arguments: Vec<S> = arguments.into_iter().collect();
        self.run(arguments.iter().cloned()).expect_silence();
        let before = self.contents();
        self.run(arguments).expect_silence();
        assert_eq!(self.contents(), before, "the second run changed something");
    }

    /// All rows of all tables but those of `runs`, and which partitions there are.
    pub(crate) fn contents(&self) -> Vec<String> {
        contents(&mut self.database.connect())
    }

    /// The rows of a query whose only column is a text named `value`.
    pub(crate) fn rows(&self, statement: &str) -> Vec<String> {
        rows(&mut self.database.connect(), statement)
    }

    /// The only row of such a query.
    pub(crate) fn value(&self, statement: &str) -> String {
        let rows = self.rows(statement);
        assert_eq!(rows.len(), 1, "{statement}: {rows:?}");
        rows[0].clone()
    }

    /// Level and message of the stored entries, in the order of the logs.
    pub(crate) fn entries(&self) -> Vec<String> {
        self.rows(
            "select level || ' ' || message as value from log_entries \
             join sources on id = source_id order by host, path, line_no",
        )
    }

    /// Lines by kind, over all sources and minutes: those that are not zero.
    pub(crate) fn counts(&self) -> String {
        self.value(
            "select coalesce(string_agg(kind || ' ' || n, ', ' order by place), 'none') as value
             from (
                 select kind, place, sum(n) as n
                 from line_counts,
                 lateral (values ('trace', 1, trace), ('debug', 2, debug), ('info', 3, info),
                     ('warning', 4, warning), ('error', 5, error), ('fatal', 6, fatal),
                     ('continued', 7, continued), ('unparsed', 8, unparsed)) as c (kind, place, n)
                 group by kind, place
                 having sum(n) > 0
             ) as sums",
        )
    }

    /// A column of the state of the only source.
    pub(crate) fn state(&self, column: &str) -> String {
        self.value(&format!("select coalesce({column}::text, '-') as value from ingest_state"))
    }

    /// The gaps: reason and lost bytes.
    pub(crate) fn gaps(&self) -> Vec<String> {
        self.rows(
            "select reason || ': ' || coalesce(lost_bytes::text, '-') as value from ingest_gaps \
             order by id",
        )
    }
}

impl Ran {
    /// Checks that a run did what it should and said nothing: cron mails every word.
    #[track_caller]
    pub(crate) fn expect_silence(&self) {
        let silence = Self { code: Some(0), stdout: String::new(), stderr: String::new() };
        assert_eq!(*self, silence);
    }

    /// Checks the exit code and that nothing was said on standard output; returns what was
    /// said on standard error.
    #[track_caller]
    pub(crate) fn expect_failure(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:?}");
        &self.stderr
    }
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("run the program");
    Ran {
        code: status.code(),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// All rows of all tables but those of `runs`, and which partitions there are.
pub(crate) fn contents(connection: &mut PgConnection) -> Vec<String> {
    let tables = [
        ("sources", "id"),
        ("ingest_state", "source_id"),
        ("ingest_tails", "source_id"),
        ("generations", "source_id, generation"),
        ("generation_lines", "source_id, first_line_no"),
        ("ingest_gaps", "source_id, id"),
        ("log_entries", "source_id, line_no"),
        ("line_counts", "source_id, minute"),
        ("alert_rules", "id"),
        ("hot_intervals", "source_id, rule_id, group_key, hot_from"),
        ("rule_backlog", "source_id, rule_id"),
        ("alerts", "source_id, id"),
        ("alert_events", "source_id, alert_id, id"),
        ("notifications", "id"),
    ];
    let mut contents = rows(
        connection,
        "select inhrelid::regclass::text as value from pg_inherits \
         where inhparent = 'log_entries'::regclass order by 1",
    );
    for (table, order) in tables {
        let statement = format!(
            "select '{table} ' || to_jsonb(t)::text as value from {table} t order by {order}"
        );
        contents.extend(rows(connection, &statement));
    }
    contents
}

/// The rows of a query whose only column is a text named `value`.
pub(crate) fn rows(connection: &mut PgConnection, statement: &str) -> Vec<String> {
    let rows = diesel::sql_query(statement).load::<TextValue>(connection);
    rows.expect(statement).into_iter().map(|row| row.value).collect()
}

/// Appends to a file, as a logger does: at its end, wherever that is.
pub(crate) fn append(path: &Path, content: &[u8]) {
    let mut file = File::options().append(true).create(true).open(path).expect("open a log");
    file.write_all(content).expect("append to a log");
}
