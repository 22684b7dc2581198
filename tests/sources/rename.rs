//! `tripline source rename` and `rename-host`: the same log, the same machine, another name.

use std::fs::{self, File};
use std::process::Stdio;

use expect_test::expect;

use crate::support::program::Setup;
use crate::{line, printed, said};

fn config(setup: &Setup, host: &str, path: &str) {
    setup.config(&format!("host = \"{host}\"\n[[source]]\npaths = [\"LOGS/{path}\"]\n"));
}

/// A log of which one line was read.
fn setup() -> Setup {
    let setup = Setup::new();
    config(&setup, "web1", "app.log");
    setup.write("app.log", line(0, "FATAL", "one"));
    assert!(setup.run(["run"]).stdout.starts_with("RESOLVED"));
    setup
}

/// Renames the source to a path in the folder of the test.
fn rename(setup: &Setup, from: &str, to: &str) -> crate::Ran {
    let path = |name: &str| setup.path(name).into_os_string();
    setup.run(["source".into(), "rename".into(), path(from), path(to)])
}

#[test]
fn a_log_that_moved_goes_on_at_its_new_path() {
    for copied in [false, true] {
        let setup = setup();
        fs::create_dir(setup.path("new")).unwrap();
        if copied {
            fs::copy(setup.log(), setup.path("new/app.log")).unwrap();
            fs::remove_file(setup.log()).unwrap();
        } else {
            setup.rename("app.log", "new/app.log");
        }
        let renamed = rename(&setup, "app.log", "new/app.log");
        assert_eq!(printed(&setup, &renamed), "LOGS/app.log on web1 is LOGS/new/app.log now\n");
        config(&setup, "web1", "new/app.log");
        setup.append("new/app.log", line(1, "ERROR", "two"));
        setup.run(["run"]).expect_silence();
        assert_eq!(setup.entries(), ["FATAL one", "ERROR two"], "copied: {copied}");
        assert_eq!((setup.gaps().len(), setup.state("line_no").as_str()), (0, "2"));
        let name = setup.value("select name as value from sources");
        assert!(name.ends_with("/new/app.log"), "{name}");
    }
}

#[test]
fn a_relative_path_and_a_name_are_understood() {
    let setup = setup();
    setup.config("host = \"web1\"\n[[source]]\nname = \"app\"\npaths = [\"LOGS/app.log\"]\n");
    setup.run(["run"]).expect_silence();
    setup.rename("app.log", "other.log");
    let mut command = setup.command(["source", "rename", "app", "other.log"]);
    let renamed = crate::support::program::ran(command.current_dir(setup.folder.path()));
    assert_eq!(printed(&setup, &renamed), "LOGS/app.log on web1 is LOGS/other.log now\n");
    assert_eq!(setup.value("select name as value from sources"), "app");
}

#[test]
fn a_path_that_is_a_source_already_is_refused() {
    let setup = setup();
    setup.write("new.log", line(0, "ERROR", "new"));
    config(&setup, "web1", "new.log");
    setup.run(["run"]);
    let before = setup.contents();
    expect![[r#"
        tripline: error: LOGS/new.log is a source of web1 already; if nothing of it is needed, forget it first: tripline source forget LOGS/new.log
    "#]]
    .assert_eq(&said(&setup, &rename(&setup, "app.log", "new.log"), 2));
    let log = setup.log();
    let other = setup.run(["source", "rename", log.to_str().unwrap(), "x", "--host", "web2"]);
    expect![[r#"
        tripline: error: there is no source "LOGS/app.log" on web2, but on web1: add --host web1
    "#]]
    .assert_eq(&said(&setup, &other, 2));
    config(&setup, "web2", "new.log");
    let relative = setup.run(["source", "rename", log.to_str().unwrap(), "x", "--host", "web1"]);
    expect![[r#"
        tripline: error: "x" is no path of a source: it must be absolute and UTF-8
    "#]]
    .assert_eq(&said(&setup, &relative, 2));
    assert_eq!(setup.contents(), before);
}

#[test]
fn a_renamed_host_goes_on_with_everything() {
    let mut setup = setup();
    setup.append("app.log", "2026-01-15 11:59:00 [FATAL] fires\n");
    // Told by nobody yet: standard output takes nothing.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let failed = setup.command(["run"]).stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(failed.code(), Some(1));

    let renamed = setup.run(["source", "rename-host", "web1", "web2"]);
    assert_eq!(printed(&setup, &renamed), "web1 is web2 now (sources: 1)\n");
    let hosts = "select distinct host as value
         from (select host from sources union all select host from alert_rules
               union all select host from notifications union all select host from runs) hosts";
    assert_eq!(setup.rows(hosts), ["web2"]);

    config(&setup, "web2", "app.log");
    let told = setup.run(["run"]);
    assert!(told.stdout.starts_with("FIRED: critical fatal (alert 2)"), "{told:?}");
    assert_eq!((told.code, told.stdout.lines().count()), (Some(0), 1));
    setup.append("app.log", line(3600 + 30, "ERROR", "two"));
    setup.now = "2026-01-15T12:10:00Z".to_owned();
    let told = setup.run(["run"]);
    assert!(told.stdout.starts_with("RESOLVED: critical fatal (alert 2)"), "{told:?}");
    assert_eq!(setup.entries(), ["FATAL one", "FATAL fires"]);
    assert_eq!(setup.rows(hosts), ["web2"]);
    assert_eq!(setup.value("select count(*)::text as value from alert_rules"), "2");
}

/// The machine has run under its new name already, on another log.
#[test]
fn rules_of_both_names_become_one() {
    let setup = setup();
    config(&setup, "web2", "other.log");
    setup.write("other.log", line(0, "FATAL", "other"));
    setup.run(["run"]);
    assert_eq!(setup.value("select count(*)::text as value from alert_rules"), "4");
    let renamed = setup.run(["source", "rename-host", "web1", "web2"]);
    assert_eq!(printed(&setup, &renamed), "web1 is web2 now (sources: 1)\n");
    let rules = setup.rows(
        "select concat_ws(' ', host, name, count(alerts)) as value
         from alert_rules left join alerts on rule_id = alert_rules.id
         group by host, name order by 1",
    );
    assert_eq!(rules, ["web2 error-burst 0", "web2 fatal 2"]);
    config(&setup, "web2", "*.log");
    setup.run(["run"]).expect_silence();
}

/// What rules across the sources of a host found goes with it, into what the other name found.
#[test]
fn alerts_across_the_sources_of_both_names_become_those_of_one() {
    let mut setup = Setup::new();
    let across = |host: &str, log: &str| {
        setup.config(&format!(
            "host = '{host}'\n[[source]]\npaths = ['{}']\n[[rule]]\nname = 'any'\nkind = \
             'threshold'\ncount = 1\nwithin = '5m'\ngroup_by = []\n[[rule]]\nname = 'many'\n\
             kind = 'distinct'\npattern = '(.*)'\ncount = 1\nwithin = '5m'\ngroup_by = []\n",
            setup.path(log).display()
        ));
    };
    setup.write("app.log", line(3580, "FATAL", "one"));
    across("web1", "app.log");
    setup.run(["run"]);
    setup.run(["source", "rename-host", "web1", "web2"]);
    across("web3", "other.log");
    setup.write("other.log", line(3590, "FATAL", "two"));
    setup.run(["run"]);
    let alerts = "select concat_ws(' ', path, rule.name, case when merged_into is null then 'one' else 'merged' end) as value
         from alerts join sources on sources.id = source_id join alert_rules rule on rule.id = rule_id order by 1";
    assert_eq!(
        setup.rows(alerts),
        ["web2 any one", "web2 many one", "web3 any one", "web3 many one"]
    );

    setup.run(["source", "rename-host", "web2", "web3"]);
    assert_eq!(
        setup.rows(alerts),
        ["web3 any merged", "web3 any one", "web3 many merged", "web3 many one"]
    );
    across("web3", "*.log");
    setup.run(["run"]);
    setup.now = "2026-01-15T13:00:00Z".to_owned();
    // The bucket of the other rule was over at once.
    let told = setup.run(["run"]);
    assert!(told.stdout.starts_with("RESOLVED: warning any (alert 3) on all sources"), "{told:?}");
    assert_eq!((told.code, told.stdout.lines().count()), (Some(0), 1), "{told:?}");
}

#[test]
fn hosts_that_cannot_become_one_stay_as_they_are() {
    let setup = setup();
    config(&setup, "web2", "app.log");
    setup.run(["run"]);
    let before = setup.contents();
    let refused = setup.run(["source", "rename-host", "web1", "web2"]);
    expect![[r#"
        tripline: error: web2 has sources at the same paths already: LOGS/app.log; if nothing of them is needed, forget them first: tripline source forget LOGS/app.log --host web2
    "#]]
    .assert_eq(&said(&setup, &refused, 2));
    let refused = setup.run(["source", "rename-host", "wbe1", "web3"]);
    expect![[r#"
        tripline: error: there is no source of a host "wbe1"; did you mean "web1"?
    "#]]
    .assert_eq(&said(&setup, &refused, 2));
    let refused = setup.run(["source", "rename-host", "web1", "*"]);
    expect![[r#"
        tripline: error: the new name must be the name of one host
    "#]]
    .assert_eq(&said(&setup, &refused, 2));
    assert_eq!(setup.contents(), before);

    // As the message says, for each of them.
    setup.run(["source", "forget", setup.log().to_str().unwrap(), "--host", "web2", "--yes"]);
    let renamed = setup.run(["source", "rename-host", "web1", "web2"]);
    assert_eq!(renamed.code, Some(0), "{renamed:?}");
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.entries(), ["FATAL one"]);
}
