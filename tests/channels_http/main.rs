//! Channels on the web, with the real program and real servers: what each service is sent, what
//! happens when a server does not do what it should, and that secrets stay secret.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod alertmanager;
mod bodies;
mod failures;
mod faults;
mod heartbeat;
mod limits;
mod pagerduty;
mod secrets;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod tls;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use support::program::{Ran, Setup};

const RULE: &str = "host = 'web1'
[[source]]
name = 'app'
paths = ['LOGS/app.log']
[[rule]]
name = 'any'
kind = 'threshold'
count = 1
within = '1h'
severity = 'critical'
runbook = 'https://example.com/runbook'
";

/// A log with one ERROR at noon, and a config with more of it.
fn setup(config: &str) -> Setup {
    let setup = Setup::new();
    configure(&setup, config);
    setup.write("app.log", "2026-01-15 11:59:00 [ERROR] the disk is full\n");
    setup
}

/// As it should be, nobody else can read the config.
fn configure(setup: &Setup, config: &str) {
    setup.config(&[RULE, config].concat());
    let config = setup.path("tripline.toml");
    fs::set_permissions(config, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A channel of a type, at a URL.
fn channel(kind: &str, url: &str, keys: &str) -> String {
    format!("[[channel]]\nname = '{kind}'\ntype = '{kind}'\nurl = '{url}'\n{keys}\n")
}

fn run_at(setup: &mut Setup, time: &str) -> Ran {
    setup.now = format!("2026-01-15T{time}Z");
    let ran = setup.run(["run"]);
    Ran { code: ran.code, stdout: shown(setup, &ran.stdout), stderr: shown(setup, &ran.stderr) }
}

/// Without the name of the folder, which is another one each time.
fn shown(setup: &Setup, text: &str) -> String {
    text.replace(&setup.folder.path().display().to_string(), "LOGS")
}

/// A run that has nothing to say.
#[track_caller]
fn quiet_run_at(setup: &mut Setup, time: &str) {
    run_at(setup, time).expect_silence();
}
