//! The system's own program, played by a script.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::program::{Setup, ran};
use crate::{configure, outbox, run_at, setup};

fn with_sendmail(script: &str, keys: &str) -> Setup {
    let setup = setup();
    let folder = setup.folder.path().display().to_string();
    setup.write("sendmail", format!("#!/bin/sh\n{}\n", script.replace("LOGS", &folder)));
    fs::set_permissions(setup.path("sendmail"), fs::Permissions::from_mode(0o755)).unwrap();
    configure(
        &setup,
        &format!(
            "to = ['ops@example.com', '-oQ/tmp@example.com']\nsendmail = 'LOGS/sendmail'\n{keys}"
        ),
    );
    setup
}

/// The last error, which names the folder only as LOGS.
fn record(setup: &Setup) -> String {
    outbox(setup).join("\n").replace(&setup.folder.path().display().to_string(), "LOGS")
}

#[test]
fn it_gets_the_mail_and_the_recipients_and_no_secret() {
    let setup = with_sendmail(
        "printf '%s\\n' \"$@\" >LOGS/arguments; cat >LOGS/mail; env >LOGS/variables",
        "[heartbeat]\nurl_env = 'BEAT_URL'\n",
    );
    let mut command = setup.command(["run"]);
    // Nobody listens there.
    command.env("BEAT_URL", "http://127.0.0.1:9/s3cret").env("OTHER", "stays");
    assert_eq!(ran(&mut command).code, Some(1));
    assert_eq!(
        setup.read("arguments"),
        "-i\n-f\ntripline@example.com\n--\nops@example.com\n-oQ/tmp@example.com\n"
    );
    let mail = setup.read("mail");
    assert!(mail.starts_with("Date: Thu, 15 Jan 2026 12:00:00 +0000\nFrom: "), "{mail}");
    assert!(!mail.contains('\r') && mail.is_ascii(), "{mail}");
    let variables = setup.read("variables");
    assert!(variables.contains("OTHER=stays"), "{variables}");
    for secret in ["TRIPLINE_DATABASE_URL", "BEAT_URL", "s3cret"] {
        assert!(!variables.contains(secret), "{secret} in {variables}");
    }
    assert_eq!(outbox(&setup), ["fired 1 delivered"]);
}

#[test]
fn one_that_fails_is_told_of() {
    let mut setup = with_sendmail("cat >/dev/null; echo 'queue is full' >&2; exit 75", "");
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    assert_eq!(record(&setup), "fired 1 LOGS/sendmail ended with 75: queue is full");
}

#[test]
fn one_that_floods_is_cut_short() {
    let mut setup = with_sendmail("head -c 10000000 /dev/zero | tr '\\0' 'x'; exit 1", "");
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    let record = record(&setup);
    assert!(record.starts_with("fired 1 LOGS/sendmail ended with 1: xxx"), "{record}");
    assert!(record.len() < 500, "{record}");
}

#[test]
fn one_that_never_ends_is_killed() {
    let mut setup = with_sendmail("while :; do sleep 0.1; done", "timeout = '1s'");
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    assert_eq!(record(&setup), "fired 1 LOGS/sendmail: no answer within 1s");
}

#[test]
fn one_that_is_not_there_is_named() {
    let mut setup = with_sendmail("", "");
    fs::remove_file(setup.path("sendmail")).unwrap();
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    let record = record(&setup);
    assert!(record.starts_with("fired 1 cannot start LOGS/sendmail: No such file"), "{record}");
}
