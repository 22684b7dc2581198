//! Several hosts, and several runs of one host, with one database.

use std::process::{Child, Output, Stdio};
use std::time::Duration;

use tripline::lock::RunLock;

use crate::line;
use crate::support::program::{Ran, Setup, ran};

const HOSTS: usize = 6;
const TICKS: usize = 5;

/// Starts a run on a host, which has a log, a state folder and a config of its own. All logs
/// have the same path in the database but for the folder.
fn start(setup: &Setup, host: usize, now: &str) -> Child {
    let folder = setup.path(&format!("host-{host}"));
    setup
        .command(["run"])
        .args(["--now", now])
        .env("TRIPLINE_CONFIG", folder.join("tripline.toml"))
        .env("TRIPLINE_STATE_DIR", folder.join("state"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn runs_of_several_hosts_do_not_disturb_each_other() {
    let setup = Setup::new();
    for host in 0..HOSTS {
        std::fs::create_dir(setup.path(&format!("host-{host}"))).unwrap();
        let folder = setup.path(&format!("host-{host}"));
        let config = format!(
            "host = \"web-{host}\"\n[[source]]\nname = \"app\"\npaths = [\"{}/app.log\"]\n",
            folder.display()
        );
        setup.write(&format!("host-{host}/tripline.toml"), config);
    }
    let mut told = vec![String::new(); HOSTS];
    for tick in 0..TICKS {
        for host in 0..HOSTS {
            let text: String = (0..40)
                .map(|second| line(60 * tick + second, "ERROR", &format!("of host {host}")))
                .collect();
            setup.append(&format!("host-{host}/app.log"), text);
        }
        let now = format!("2026-01-15T11:0{}:00Z", tick + 1);
        let runs: Vec<_> = (0..HOSTS).map(|host| start(&setup, host, &now)).collect();
        for (host, run) in runs.into_iter().enumerate() {
            let Output { status, stdout, stderr } = run.wait_with_output().unwrap();
            assert_eq!((status.code(), String::from_utf8_lossy(&stderr).as_ref()), (Some(0), ""));
            told[host] += &String::from_utf8(stdout).unwrap();
        }
    }
    let rows = setup.rows(
        "select concat_ws(' ', host, name, state.line_no, count(*), min(message), max(message),
                          (select count(*) from alerts where alerts.source_id = sources.id),
                          (select sum(error) from line_counts where line_counts.source_id = sources.id))
                as value
         from sources
         join ingest_state state on state.source_id = id
         join log_entries on log_entries.source_id = id
         group by id, host, name, state.line_no
         order by host",
    );
    let lines = 40 * TICKS;
    for (host, (row, told)) in rows.iter().zip(&told).enumerate() {
        let text = format!("of host {host}");
        assert_eq!(*row, format!("web-{host} app {lines} {lines} {text} {text} 1 {lines}"));
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.starts_with("FIRED: warning error-burst") && told.contains(&text), "{told}");
    }
    assert_eq!(rows.len(), HOSTS);
}

#[test]
fn one_path_on_two_hosts_is_two_sources() {
    let setup = Setup::new();
    for host in ["web-1", "web-2"] {
        setup.config(&format!("host = \"{host}\"\n"));
        setup.write("app.log", line(0, "ERROR", host));
        setup.run(["ingest".as_ref(), setup.log().as_os_str()]).expect_silence();
    }
    assert_eq!(setup.entries(), ["ERROR web-1", "ERROR web-2"]);
    assert_eq!(setup.rows("select host as value from sources order by id"), ["web-1", "web-2"]);
}

#[test]
fn without_a_config_the_host_is_that_of_the_system() {
    let setup = Setup::new();
    setup.write("app.log", line(0, "ERROR", "one"));
    setup.ingest_once();
    let host = setup.value("select host as value from sources");
    assert_eq!(host, rustix::system::uname().nodename().to_string_lossy());
}

/// Each command with the lock that it waits for.
const COMMANDS: [(&[&str], &str); 4] = [
    (&["run"], "lock"),
    (&["ingest"], "lock"),
    (&["run"], "lock.alert"),
    (&["alert"], "lock.alert"),
];

#[test]
fn a_run_beside_another_one_of_its_host_ends_quietly_or_waits() {
    for (command, lock) in COMMANDS {
        let setup = Setup::new();
        setup.config("lock_file = \"LOGS/lock\"\n[[source]]\npaths = [\"LOGS/app.log\"]\n");
        setup.write("app.log", line(0, "INFO", "one"));
        let held = RunLock::take(&setup.path(lock), Duration::ZERO).unwrap();
        let quiet = Ran { code: Some(75), stdout: String::new(), stderr: String::new() };
        assert_eq!(setup.run(command), quiet, "{command:?} with {lock} held");

        let mut waits = setup.command(command.iter().chain(&["--wait", "60"]));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(move || ran(&mut waits));
            drop(held);
            waiting.join().unwrap().expect_silence();
        });
    }
}
