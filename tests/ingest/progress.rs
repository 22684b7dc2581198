//! The progress bar that a long backlog has on a terminal.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::program::{Setup, ran};

/// 20 MiB, the least worth a bar being 16.
fn backlog(setup: &Setup) {
    setup.write("app.log", "2026-01-15 11:00:00 [INFO] nothing of interest\n".repeat(440_000));
}

/// What a run says on standard error that is a terminal.
fn said_on_a_terminal(setup: &Setup, arguments: &[&str]) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let end = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = setup.command(["ingest".into(), setup.log()]);
    command.args(arguments).env("TERM", "xterm").stdout(Stdio::null()).stderr(end);
    let mut child = command.spawn().unwrap();
    // The command holds our end of the terminal open, which would never end then.
    drop(command);
    let mut said = Vec::new();
    // Linux says EIO where nobody has the other end open any more.
    let _ = File::from(terminal).read_to_end(&mut said);
    assert!(child.wait().unwrap().success());
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_backlog_has_a_progress_bar_on_a_terminal_only() {
    let setup = Setup::new();
    backlog(&setup);
    let said = said_on_a_terminal(&setup, &[]);
    assert!(said.contains("of 19.72 MiB, "), "{said:?}");
    assert!(said.contains(" lines/s, "), "{said:?}");
    assert!(said.contains("s left"), "{said:?}");
    let (_, after) = said.rsplit_once("s left").unwrap();
    assert!(after.contains("\x1b[2K"), "the line is empty in the end: {said:?}");
    assert_eq!(setup.counts(), "info 440000");
    // The next time there is little to read.
    setup.append("app.log", "2026-01-15 11:00:00 [INFO] one more\n");
    assert_eq!(said_on_a_terminal(&setup, &[]), "");
}

#[test]
fn nothing_is_drawn_where_nobody_looks_or_wants_it() {
    let setup = Setup::new();
    backlog(&setup);
    assert_eq!(said_on_a_terminal(&setup, &["--quiet"]), "");
    let other = Setup::new();
    backlog(&other);
    ran(&mut other.command(["ingest".into(), other.log()])).expect_silence();
}
