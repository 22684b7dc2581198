//! Sources that are the journal of systemd.
//!
//! No journald runs where the tests do. A stand-in for `journalctl` in `PATH` plays
//! `fixtures/journal/shop.export`, which the real one (systemd 252) has written, from the entry
//! on that it is asked for. As the real one does, it begins with the next one where that entry is
//! gone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::program::{Ran, Setup, ran};

/// Writes the entries from the one with the wanted cursor on; `first` and `last` are the numbers
/// of those that the journal has.
const STAND_IN: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 9
echo "$*" >>calls
if [ -e fail ]; then cat fail >&2; [ -e well ]; exit; fi
from=$(cat first) last=$(cat last)
for argument; do
    case $argument in
    --cursor=*)
        wanted=$(grep -l -F -x -a "__CURSOR=${argument#--cursor=}" entries/* | sed 's/.*\///')
        [ "${wanted:-0}" -lt "$from" ] || from=$wanted
        ;;
    --lines=1) from=$last ;;
    esac
done
while [ "$from" -le "$last" ]; do
    cat "entries/$from"
    from=$((from + 1))
done
[ ! -e broken ] || { printf '__CURSOR=x\nMESSAGE=bro'; exit 3; }
"#;

/// The entries of the recorded journal, each as it is in the stream.
fn entries() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journal/shop.export");
    let stream = fs::read(path).unwrap();
    let starts: Vec<usize> = memchr::memmem::find_iter(&stream, b"__CURSOR=").collect();
    let ends = starts[1..].iter().copied().chain([stream.len()]);
    starts.iter().zip(ends).map(|(&start, end)| stream[start..end].to_vec()).collect()
}

/// A host whose journal has the entries `first` to `last`, of 11.
struct Host {
    setup: Setup,
}

impl Host {
    fn new(config: &str) -> Self {
        let setup = Setup::new();
        setup.config(&format!("host = 'web1'\n[[source]]\n{config}\n"));
        fs::create_dir_all(setup.path("bin/entries")).unwrap();
        let journalctl = setup.path("bin/journalctl");
        fs::write(&journalctl, STAND_IN).unwrap();
        fs::set_permissions(&journalctl, fs::Permissions::from_mode(0o755)).unwrap();
        let entries = entries();
        assert_eq!(entries.len(), 11);
        for (number, entry) in entries.iter().enumerate() {
            setup.write(&format!("bin/entries/{}", number + 1), entry);
        }
        let host = Self { setup };
        host.has(1, 11);
        host
    }

    fn has(&self, first: usize, last: usize) {
        self.setup.write("bin/first", first.to_string());
        self.setup.write("bin/last", last.to_string());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.setup.command(arguments);
        let bin = self.setup.path("bin").into_os_string().into_string().unwrap();
        command.env("PATH", bin + ":/usr/bin:/bin");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// Reads twice; the second time changes nothing.
    fn ingest(&self) {
        self.run(&["ingest"]).expect_silence();
        let before = self.setup.contents();
        self.run(&["ingest"]).expect_silence();
        assert_eq!(self.setup.contents(), before, "the second run changed something");
    }

    /// What the stand-in was asked for last.
    fn asked(&self) -> String {
        self.setup.read("bin/calls").lines().last().unwrap().to_owned()
    }
}

const SHOP: &str = "journal = { units = ['shop.service'] }";

const STORED: [&str; 7] = [
    "ERROR order 17 failed: no connection",
    "ERROR order 18 failed\nTraceback (most recent call last):\n  File \"orders.py\", line 3, in \
     place\nqueue.Empty",
    "FATAL disk full: /srv",
    "ERROR caf\u{fffd} \u{2400} closed",
    "ERROR crashed",
    "FATAL gave up",
    "",
];

#[test]
fn entries_have_the_level_of_their_priority_and_the_time_of_the_journal() {
    let host = Host::new(SHOP);
    host.ingest();
    let setup = &host.setup;
    assert_eq!(setup.entries(), STORED[..6]);
    assert_eq!(setup.counts(), "debug 1, info 3, warning 1, error 4, fatal 2, continued 3");
    assert_eq!(
        setup.value("select min(logged_at at time zone 'UTC')::text as value from log_entries"),
        "2026-01-15 11:00:01"
    );
    assert_eq!(
        setup.value("select concat_ws(' ', host, path, name, format) as value from sources"),
        "web1 journal:shop.service journal:shop.service journal"
    );
    let status = setup.run(["status"]).stdout;
    assert!(status.contains("journal:shop.service"), "{status}");
    assert!(host.asked().contains("--unit=shop.service"), "{}", host.asked());
}

#[test]
fn reading_goes_on_behind_the_cursor() {
    let host = Host::new(SHOP);
    for last in [2, 2, 3, 7, 11] {
        host.has(1, last);
        host.ingest();
    }
    assert_eq!(host.setup.entries(), STORED[..6]);
    assert_eq!(host.setup.gaps(), [""; 0]);
    assert!(host.setup.state("journal_cursor").contains(";i=b;"), "the eleventh entry");
    // In one run, one entry at a time.
    let other = Host::new(SHOP);
    other.run(&["ingest", "--chunk-bytes=1"]).expect_silence();
    assert_eq!(other.setup.entries(), STORED[..6]);
    for column in ["journal_cursor", "byte_offset", "line_no", "last_logged_at", "read_to_end_at"] {
        assert_eq!(other.setup.state(column), host.setup.state(column), "{column}");
    }
}

#[test]
fn a_limit_leaves_the_rest_to_the_next_run() {
    let host = Host::new(SHOP);
    for _ in 0..10 {
        host.run(&["ingest", "--max-bytes=1"]).expect_silence();
    }
    assert_eq!((host.setup.entries().len(), host.setup.state("line_no")), (6, "13".to_owned()));
    assert_eq!(host.setup.state("read_to_end_at"), "-");
    host.ingest();
    assert_eq!(host.setup.entries(), STORED[..6]);
}

#[test]
fn a_journal_that_was_vacuumed_too_soon_is_a_gap() {
    let host = Host::new(SHOP);
    host.has(1, 2);
    host.ingest();
    host.has(4, 5);
    let run = host.run(&["ingest"]);
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("the journal no longer has the entry that was read last"));
    host.ingest();
    assert_eq!(host.setup.entries(), [STORED[0], STORED[2]], "nothing that is there is left out");
    let gap = "the journal no longer has the entry that was read last: -";
    assert_eq!(host.setup.gaps(), [gap]);
    // As long as nothing new is there, nothing is known to be lost.
    host.has(12, 11);
    host.ingest();
    assert_eq!(host.setup.gaps(), [gap]);
}

#[test]
fn reading_may_begin_at_the_end_or_at_a_time() {
    let host = Host::new(&format!("{SHOP}\nstart = 'end'"));
    host.has(1, 9);
    host.ingest();
    assert_eq!(host.setup.entries(), [""; 0]);
    host.has(1, 11);
    host.ingest();
    assert_eq!(host.setup.entries(), ["FATAL gave up"]);

    let host = Host::new(SHOP);
    host.run(&["ingest", "--since=2026-01-15T11:00:04.5Z"]).expect_silence();
    assert!(host.asked().contains("--since=@1768474804.500000"), "{}", host.asked());
}

#[test]
fn a_journal_is_read_anew_after_a_reset() {
    let host = Host::new(SHOP);
    host.ingest();
    let before = host.setup.entries();
    let run = host.run(&["source", "reset", "--yes", "journal:shop.service"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(host.setup.entries(), [""; 0]);
    host.ingest();
    assert_eq!(host.setup.entries(), before);
}

#[test]
fn what_is_wrong_with_the_journal_is_an_error_of_the_source() {
    let host = Host::new(&format!("{SHOP}\n[[source]]\npaths = ['LOGS/app.log']"));
    host.setup.write("app.log", "2026-01-15 11:00:00 [ERROR] of a file\n");
    host.setup.write("bin/fail", "Failed to open: Permission denied\nsecond line\n");
    let run = host.run(&["ingest"]);
    assert_eq!(
        run.expect_failure(1),
        "tripline: error: cannot read the journal: journalctl ended with exit status: 1: Failed \
         to open: Permission denied second line\n"
    );
    assert_eq!(host.setup.entries(), ["ERROR of a file"], "the other source is read");
    // A host without a journal says so, and ends well.
    host.setup.write("bin/fail", "No journal files were found.\n");
    host.setup.write("bin/well", "");
    let run = host.run(&["ingest"]);
    assert!(run.expect_failure(1).contains("exit status: 0: No journal files were found."));
    fs::remove_file(host.setup.path("bin/fail")).unwrap();
    // What was whole before it broke off is stored.
    host.setup.write("bin/broken", "");
    let run = host.run(&["ingest"]);
    assert!(run.expect_failure(1).contains("journalctl ended with exit status: 3"), "{run:?}");
    assert_eq!(host.setup.entries().len(), 7);
    fs::remove_file(host.setup.path("bin/broken")).unwrap();
    host.ingest();
    fs::remove_file(host.setup.path("bin/journalctl")).unwrap();
    let mut command = host.setup.command(["ingest"]);
    let run = ran(command.env("PATH", host.setup.path("bin")));
    assert!(run.expect_failure(1).contains("journalctl is not in PATH"), "{run:?}");
}

#[test]
fn a_stopped_reading_ends_the_program_that_it_has_started() {
    // More than fits into the pipe between the two.
    let host = Host::new(SHOP);
    let entry = entries()[0].clone();
    host.setup.write("bin/entries/1", entry.repeat(2000));
    host.has(1, 1);
    host.run(&["ingest", "--max-bytes=1"]).expect_silence();
    assert_eq!(host.setup.state("line_no"), "1");
}
