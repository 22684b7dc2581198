//! Which logs are read, under which name, with which settings.

use std::fs;

use crate::support::program::Setup;

fn error(text: &str) -> String {
    format!("2026-01-15 11:00:00 [ERROR] {text}\n")
}

/// File name and name of each source with how many entries it has, in the order of the paths.
fn sources(setup: &Setup) -> Vec<String> {
    setup.rows(
        "select concat_ws(' ', host, regexp_replace(path, '.*/', ''),
             regexp_replace(name, '.*/', ''), count(line_no)) as value
         from sources left join log_entries on source_id = id
         group by host, path, name
         order by host, path",
    )
}

const CONFIG: &str = r#"
    host = "web-1"
    [[source]]
    paths = ["LOGS/*.log", "LOGS/single"]
    exclude = ["debug.log", "LOGS/other/*"]
    [[source]]
    name = "the others"
    paths = ["LOGS/other/*", "LOGS/nothing/*.log"]
    store = ["WARNING"]
"#;

#[test]
fn every_file_of_a_glob_is_a_source_and_one_that_comes_later_too() {
    let setup = Setup::new();
    setup.config(CONFIG);
    fs::create_dir_all(setup.path("other/folder.log")).unwrap();
    setup.write("a.log", error("of a"));
    setup.write("b.log", error("of b") + &error("of b again"));
    setup.write("debug.log", error("excluded"));
    setup.write("single", error("of the single one"));
    setup.write("other/x", "2026-01-15 11:00:00 [WARN] of x\n2026-01-15 11:00:00 [ERROR] no\n");
    setup.twice(["ingest"]);
    let known = [
        "web-1 a.log a.log 1",
        "web-1 b.log b.log 2",
        "web-1 x the others 1",
        "web-1 single single 1",
    ];
    assert_eq!(sources(&setup), known);

    setup.write("c.log", error("of c"));
    setup.append("b.log", error("of b once more"));
    setup.twice(["ingest"]);
    assert_eq!(sources(&setup)[1..3], ["web-1 b.log b.log 3", "web-1 c.log c.log 1"]);
    assert_eq!(setup.counts(), "warning 1, error 7");
}

#[test]
fn logs_of_the_command_line_have_the_settings_of_the_source_that_reaches_them() {
    let setup = Setup::new();
    setup.config(CONFIG);
    fs::create_dir(setup.path("other")).unwrap();
    setup.write("other/x", "2026-01-15 11:00:00 [WARN] of x\n2026-01-15 11:00:00 [ERROR] no\n");
    setup.write("unknown", error("of a log that no source reaches"));
    setup.write("a.log", error("not asked for"));
    // Relative to the current folder, and one of them twice.
    let arguments = ["ingest", "unknown", "other/x", "./other/x"];
    for _ in 0..2 {
        let mut command = setup.command(arguments);
        command.current_dir(setup.path("."));
        crate::support::program::ran(&mut command).expect_silence();
        assert_eq!(sources(&setup), ["web-1 x the others 1", "web-1 unknown unknown 1"]);
    }
    // By way of the config the same sources go on.
    setup.append("other/x", "2026-01-15 11:00:01 [WARN] of x again\n");
    setup.write("single", "");
    setup.twice(["ingest"]);
    assert_eq!(sources(&setup)[1..3], ["web-1 x the others 2", "web-1 single single 0"]);
}

#[test]
fn two_paths_to_one_file_are_read_once() {
    let setup = Setup::new();
    setup.write("app.log", error("one"));
    fs::hard_link(setup.log(), setup.path("hard")).unwrap();
    std::os::unix::fs::symlink("app.log", setup.path("soft")).unwrap();
    let paths = ["app.log", "hard", "soft"].map(|name| setup.path(name).into_os_string());
    let arguments = || ["ingest".into()].into_iter().chain(paths.clone());
    let ran = setup.run(arguments());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
    assert_eq!(ran.stderr.matches("is the same file as").count(), 2, "{ran:?}");
    // Told once.
    setup.twice(arguments());
    assert_eq!(setup.entries(), ["ERROR one"]);
}

#[test]
fn a_source_may_get_another_name_and_other_levels() {
    let setup = Setup::new();
    setup.write("app.log", error("one") + "2026-01-15 11:00:01 [WARN] two\n  of two\n");
    setup.ingest();
    let config = r#"
        [[source]]
        name = "shop"
        paths = ["LOGS/app.log"]
        store = ["WARNING", "ERROR", "FATAL"]
        timezone = "Europe/Berlin"
    "#;
    setup.config(config);
    // The entry that goes on was not stored when it began.
    setup.append("app.log", "  of two again\n2026-01-15 11:00:02 [WARN] three\n");
    setup.twice(["ingest"]);
    assert_eq!(setup.entries(), ["ERROR one", "WARNING three"]);
    assert_eq!(
        setup.value("select concat_ws(' ', name, timezone) as value from sources"),
        "shop Europe/Berlin"
    );
}

#[test]
fn two_hosts_with_one_database_do_not_know_each_other() {
    let (one, two) = (Setup::new(), Setup::new());
    // The same path on both hosts, which are one here.
    let log = one.log();
    for (host, text, expected) in [
        ("one", "", ["one app.log app.log 1"].as_slice()),
        ("two", "", &["one app.log app.log 1", "two app.log app.log 1"]),
        ("one", "of both", &["one app.log app.log 2", "two app.log app.log 1"]),
        ("two", "", &["one app.log app.log 2", "two app.log app.log 2"]),
    ] {
        if expected.len() == 1 {
            one.write("app.log", error("first"));
        }
        if !text.is_empty() {
            one.append("app.log", error(text));
        }
        let config = format!("host = {host:?}\n");
        one.config(&config);
        one.ingest();
        assert_eq!(sources(&one), expected);
        two.config(&config);
        let url = one.database.url().to_owned();
        let mut command = two.command(["status", "--json"]);
        let ran = crate::support::program::ran(command.env("TRIPLINE_DATABASE_URL", url));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stdout.contains(log.to_str().unwrap()));
    }
}

#[test]
fn a_path_that_is_not_utf8_is_an_error_of_that_log_alone() {
    use std::os::unix::ffi::OsStrExt;
    let setup = Setup::new();
    setup.write("app.log", error("one"));
    let path = setup.path(".").join(std::ffi::OsStr::from_bytes(b"caf\xe9.log"));
    fs::write(&path, error("two")).unwrap();
    let ran = setup.run(["ingest".as_ref(), path.as_os_str(), setup.log().as_os_str()]);
    assert!(ran.expect_failure(1).contains("is not valid UTF-8"), "{ran:?}");
    assert_eq!(setup.entries(), ["ERROR one"]);
}
