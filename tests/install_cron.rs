//! `scripts/install-cron` changes its own line of a crontab and nothing else.
//!
//! `crontab` is a stand-in that keeps its table in a file: a test must not touch the user's.
//! With the real one the script was tried as root and as an ordinary user.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const CRONTAB: &str = r#"#!/bin/sh
case $1 in
    -l) cat "$CRONTAB_FILE" 2>/dev/null || { echo "no crontab for ann" >&2; exit 1; } ;;
    -r) rm "$CRONTAB_FILE" ;;
    -) cat >"$CRONTAB_FILE" ;;
esac
"#;

/// What the line ends with.
const MARK: &str = "# tripline (scripts/install-cron)";

struct Host {
    folder: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("crontab", CRONTAB), ("tripline", "#!/bin/sh\n")] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/install-cron");
        Command::new(script)
            .args(arguments)
            .env("PATH", format!("{}:/usr/bin:/bin", self.folder.path().display()))
            .env("CRONTAB_FILE", self.path("table"))
            .output()
            .unwrap()
    }

    fn install(&self, arguments: &[&str]) {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn table(&self) -> Option<String> {
        fs::read_to_string(self.path("table")).ok()
    }
}

#[test]
fn twice_is_as_once_and_removing_leaves_what_was_there() {
    let host = Host::new();
    let others = "MAILTO=ann\n0 5 * * * echo \"50\\% off\"\n";
    fs::write(host.path("table"), others).unwrap();

    host.install(&["/var/log/app.log"]);
    let program = host.path("tripline");
    let line = format!("* * * * * {} run /var/log/app.log {MARK}\n", program.display());
    assert_eq!(host.table(), Some(format!("{others}{line}")));
    host.install(&["/var/log/app.log"]);
    assert_eq!(host.table(), Some(format!("{others}{line}")));

    host.install(&[]);
    let line = format!("* * * * * {} run {MARK}\n", program.display());
    assert_eq!(host.table(), Some(format!("{others}{line}")));

    host.install(&["--remove"]);
    assert_eq!(host.table().as_deref(), Some(others));
}

#[test]
fn a_user_without_a_crontab_gets_one_and_loses_it_again() {
    let host = Host::new();
    host.install(&[]);
    assert!(host.table().unwrap().ends_with(&format!("{MARK}\n")));
    host.install(&["--remove"]);
    assert_eq!(host.table(), None);
    host.install(&["--remove"]);
}

#[test]
fn what_cron_and_the_shell_would_interpret_is_quoted() {
    let host = Host::new();
    host.install(&["/srv/my log/50%.log"]);
    assert!(host.table().unwrap().contains(r" run /srv/my\ log/50\%.log "));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let host = Host::new();
    let output = host.run(&["--program", "/nowhere/tripline"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("/nowhere/tripline is no program"), "{stderr}");
    assert_eq!(host.run(&["--removee"]).status.code(), Some(2));
    assert_eq!(host.table(), None);
}
