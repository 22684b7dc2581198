//! `tripline init`: from logs to a config, and from that to the first alert.

#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in what tests share"
)]

#[path = "support/scratch.rs"]
mod scratch;

use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, TimeDelta, Utc};
use expect_test::{Expect, expect};
use tripline::cluster::Durability;
use tripline::config::Config;

use scratch::Scratch;

const NOW: &str = "2026-01-03T00:01:00Z";

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Scratch {
    fn new() -> Self {
        Self::below("state", Durability::ThrowAway)
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Writes a log below the home folder that was last written to at a time.
    fn log(&self, name: &str, bytes: impl AsRef<[u8]>, written: &str) -> PathBuf {
        let path = self.home().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let written: DateTime<Utc> = written.parse().unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(written.into()).unwrap();
        path
    }

    fn tripline(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tripline"));
        command
            .env_clear()
            .env("HOME", self.home())
            .env("TZ", "Europe/Berlin")
            .env("TRIPLINE_STATE_DIR", self.cluster.base())
            .args(["--now", NOW])
            .args(arguments)
            .current_dir(self.home())
            .stdin(Stdio::null());
        for variable in ["TRIPLINE_PG_BIN", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            let text = text.replace(self.home().to_str().unwrap(), "HOME");
            text.replace(env!("CARGO_BIN_EXE_tripline"), "PROGRAM")
        };
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    #[track_caller]
    fn expect(&self, code: i32, stdout: &Expect, stderr: &Expect) {
        stdout.assert_eq(&self.stdout);
        stderr.assert_eq(&self.stderr);
        assert_eq!(self.code, Some(code));
    }
}

/// Two days with an entry each minute, of which seven an hour are errors that follow each other.
fn shop() -> String {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut log = String::new();
    for minute in 0..2881 {
        let time = start + TimeDelta::minutes(minute);
        let time = time.format("%Y-%m-%dT%H:%M");
        writeln!(log, "{time}:00Z [INFO] request served").unwrap();
        if minute % 60 == 30 {
            for second in 1..8 {
                writeln!(log, "{time}:{second:02}Z [ERROR] order {minute} failed").unwrap();
            }
        }
    }
    log
}

#[test]
fn what_is_proposed_would_have_fired_seldom() {
    let scratch = Scratch::new();
    let shop = scratch.log("log/shop.log", shop(), NOW);
    let mail = "2026-01-02 23:59:00 [FATAL] queue is full\n".repeat(2);
    let mail = scratch.log("log/mail.log", mail, NOW);
    let logs = [shop, mail].map(|log| log.to_str().unwrap().to_owned());
    let arguments = ["init", "--output", "-", &logs[0], &logs[1]];
    scratch.tripline(&arguments).expect(
        0,
        &expect![[r##"
        # Proposed by `tripline init` on 2026-01-03 from what the logs held. Change what you like:
        #   tripline rules check          can all rules be used?
        #   tripline rules backtest RULE  how often would other values have fired?

        # Format plain. Looked at all 136 KiB: 3217 lines,
        # 2026-01-01 00:00:00Z to 2026-01-03 00:00:00Z;
        # 2881 INFO, 336 ERROR; 0 lines could not be parsed.
        [[source]]
        name = "shop"
        paths = ["HOME/log/shop.log"]
        # start = "end"   # leaves out what it holds already

        # Format plain. Looked at all 84 bytes: 2 lines,
        # 2026-01-02 22:59:00Z to 2026-01-02 22:59:00Z;
        # 2 FATAL; 0 lines could not be parsed.
        [[source]]
        name = "mail"
        paths = ["HOME/log/mail.log"]
        timezone = "Europe/Berlin"   # its times show none
        # start = "end"   # leaves out what it holds already

        # 1 FATAL within 5m: 1 alert in 2 days of log.
        [[rule]]
        name = "fatal"
        kind = "threshold"
        levels = ["FATAL"]
        count = 1
        within = "5m"
        severity = "critical"

        # 3 ERROR or FATAL within 5m: 0 alerts in 0 s of log.
        [[rule]]
        name = "error-burst-3"
        kind = "threshold"
        levels = ["ERROR", "FATAL"]
        count = 3
        within = "5m"
        severity = "warning"
        sources = ["mail"]

        # 10 ERROR or FATAL within 5m: 0 alerts in 2 days of log; 5 would have given 48.
        [[rule]]
        name = "error-burst-10"
        kind = "threshold"
        levels = ["ERROR", "FATAL"]
        count = 10
        within = "5m"
        severity = "warning"
        sources = ["shop"]

        # No entry of any level for 10m; the longest time without one was 60 s.
        [[rule]]
        name = "silent"
        kind = "absence"
        within = "10m"
        sources = ["shop"]

        # Logs that cannot be read, or of which most lines cannot be parsed.
        [[rule]]
        name = "blind"
        kind = "blind"
        percent = 50
        at_least = 20
        within = "5m"

        # Errors of which there was none like it for a week; numbers in them do not matter. Take the
        # comment signs away once the logs were read for some days.
        # [[rule]]
        # name = "new-error"
        # kind = "new"
        # lookback = "7d"
        # severity = "info"
    "##]],
        &expect![[r""]],
    );
}

#[test]
fn from_nothing_to_the_first_alert() {
    let scratch = Scratch::new();
    let log = scratch.log("log/shop.log", shop(), NOW);
    scratch.tripline(&["init", log.to_str().unwrap()]).expect(
        0,
        &expect![[r#"
        wrote HOME/.config/tripline/tripline.toml, which watches:
          HOME/log/shop.log (plain, 3217 entries looked at, 336 errors)

        Look at it, then:
          tripline rules check   # can PostgreSQL use the rules?
          tripline run           # reads the logs; prints what fires
        and let cron do it each minute (crontab -e):
          * * * * * PROGRAM run
    "#]],
        &expect![[r""]],
    );
    let config = scratch.home().join(".config/tripline/tripline.toml");
    let text = fs::read_to_string(&config).unwrap();
    Config::read(&config).unwrap();
    // It is not written over.
    scratch.tripline(&["init", log.to_str().unwrap()]).expect(2, &expect![[r""]], &expect![[r#"
        tripline: error: HOME/.config/tripline/tripline.toml is there already and stays as it is; print a proposal instead: tripline init --output -
    "#]]);
    assert_eq!(fs::read_to_string(&config).unwrap(), text);
    let checked = scratch.tripline(&["rules", "check"]);
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""), "{}", checked.stdout);
    // Two days of these errors give none of the alerts that were said to be too many ...
    let ran = scratch.tripline(&["run"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
    // ... and what is unusual gives one.
    let mut more = shop();
    for second in 1..13 {
        writeln!(more, "2026-01-03T00:00:{second:02}Z [ERROR] no connection").unwrap();
    }
    scratch.log("log/shop.log", more, NOW);
    let ran = scratch.tripline(&["run"]);
    expect![[r#"
        FIRED: warning error-burst (alert 1) on shop (HOME/log/shop.log): 12 ERROR or FATAL within 5m (threshold 10), since 2026-01-03 01:00:10 +01:00: no connection
    "#]].assert_eq(&ran.stdout);
}

#[test]
fn logs_are_looked_for_where_none_is_named() {
    let scratch = Scratch::new();
    let line = "Jan  2 23:59:00 web1 sshd[7]: error: no\n";
    scratch.log("var/syslog", line.repeat(3), NOW);
    scratch.log("var/app/app.log", line.repeat(3), NOW);
    scratch.log("var/app/app.log.1", line.repeat(3), NOW);
    scratch.log("var/app/app.log.2.gz", line.repeat(3), NOW);
    scratch.log("var/old.log", line.repeat(3), "2025-12-01T00:00:00Z");
    scratch.log("var/wtmp", [0, 1, 2], NOW);
    scratch.log("var/picture", [0, 159, 146, 150, 10, 255, 10], NOW);
    scratch.log("var/empty.log", "", NOW);
    let config = scratch.home().join("made/here.toml");
    let arguments = ["init", "--look-in", "var", "--output", config.to_str().unwrap()];
    scratch.tripline(&arguments).expect(
        0,
        &expect![[r#"
        wrote HOME/made/here.toml, which watches:
          HOME/var/app/app.log (syslog, 3 entries looked at, 3 errors)
          HOME/var/syslog (syslog, 3 entries looked at, 3 errors)
        left out: 1, listed at its end

        Look at it, then:
          tripline --config HOME/made/here.toml rules check   # can PostgreSQL use the rules?
          tripline --config HOME/made/here.toml run           # reads the logs; prints what fires
        and let cron do it each minute (crontab -e):
          * * * * * PROGRAM --config HOME/made/here.toml run
    "#]],
        &expect![[r""]],
    );
    let sources = Config::read(&config).unwrap().sources;
    let names: Vec<_> = sources.iter().map(|source| source.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["app", "syslog"]);
    let text = fs::read_to_string(&config).unwrap();
    expect![[r#"
        #   HOME/var/picture: 2 of 2 lines could not be parsed
    "#]]
    .assert_eq(
        text.split_once("# Left out:\n")
            .unwrap()
            .1
            .replace(scratch.home().to_str().unwrap(), "HOME")
            .as_str(),
    );
}

#[test]
fn without_a_log_there_is_nothing_to_propose() {
    let scratch = Scratch::new();
    scratch.log("var/picture", [0, 159, 146, 150, 10, 255, 10], NOW);
    scratch.tripline(&["init", "--look-in", "var"]).expect(
        1,
        &expect![[r""]],
        &expect![[r#"
        tripline: warn: HOME/var/picture: 2 of 2 lines could not be parsed
        tripline: error: there is no log to be watched; name some: tripline init LOG...
    "#]],
    );
    scratch.tripline(&["init", "missing.log"]).expect(1, &expect![[r""]], &expect![[r#"
        tripline: error: HOME/missing.log does not exist; create it, correct the path, or use a glob if it may be missing
    "#]]);
    assert!(!Path::new(&scratch.home().join(".config")).exists());
}

#[test]
fn of_a_large_log_the_end_is_looked_at() {
    let scratch = Scratch::new();
    let line = format!("2026-01-02T23:00:00Z [INFO] {}\n", "x".repeat(971));
    let mut log = line.replace("INFO", "FATAL").repeat(5);
    log += &line.repeat(17_000);
    let log = scratch.log("large.log", log, NOW);
    let printed = scratch.tripline(&["init", "--output", "-", log.to_str().unwrap()]).stdout;
    let looked_at: String = printed.lines().skip(4).take(3).collect::<Vec<_>>().join("\n");
    expect![[r#"
        # Format plain. Looked at the last 16 MiB of 16 MiB: 16777 lines,
        # 2026-01-02 23:00:00Z to 2026-01-02 23:00:00Z;
        # 16777 INFO; 0 lines could not be parsed."#]]
    .assert_eq(&looked_at);
}
