//! Wrong arguments, wrong configs, and what the process list shows.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use expect_test::expect;
use tripline::lock::RunLock;

use crate::said;
use crate::support::program::{Setup, ran};

#[test]
fn unknown_commands_and_options() {
    let setup = Setup::new();
    expect![[r#"
        error: unrecognized subcommand 'rnu'

        Usage: tripline [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]]
    .assert_eq(&said(&setup, &setup.run(["rnu"]), 2));
    expect![[r#"
        error: unexpected argument '--wiat' found

          tip: a similar argument exists: '--wait'

        Usage: tripline run --wait <SECONDS> [LOG]...

        For more information, try '--help'.
    "#]]
    .assert_eq(&said(&setup, &setup.run(["run", "--wiat", "3"]), 2));
    expect![[r#"
        error: invalid value 'long' for '--wait <SECONDS>': invalid digit found in string

        For more information, try '--help'.
    "#]]
    .assert_eq(&said(&setup, &setup.run(["run", "--wait", "long"]), 2));
    // What stands where a password may stand is not repeated.
    for arguments in [
        ["run", "--database-urls=postgres://ann:Xy7Kq9@db/logs"].as_slice(),
        &["run", "--database-url", "postgres://ann:Xy7Kq9@db/logs", "--nonsense"],
        &["--database-url=postgres://ann:Xy7Kq9@db/logs", "--database-url=x", "run"],
    ] {
        let run = setup.run(arguments);
        assert_eq!(run.code, Some(2));
        assert!(!run.stderr.contains("Xy7Kq9"), "{run:?}");
    }
}

#[test]
fn nothing_to_read() {
    let setup = Setup::new();
    for command in ["run", "ingest"] {
        expect![[r#"
            tripline: error: no log to read: name one (tripline run /var/log/app.log), or write a [[source]] into /etc/tripline/tripline.toml
        "#]].assert_eq(&said(&setup, &setup.run([command]), 2));
    }
}

#[test]
fn a_wrong_config_is_told_with_all_its_problems() {
    let setup = Setup::new();
    setup.config(
        r#"
        [[source]]
        path = ["LOGS/app.log"]
        store = ["ERROR", "FATALE"]
        [[rule]]
        name = "x"
        kind = "threshold"
        count = 0
        within = "5 minutes or so"
        "#,
    );
    expect![[r#"
        tripline: error: LOGS/tripline.toml:3:9: unknown key "path" in [[source]]; did you mean "paths"?
        LOGS/tripline.toml:4:27: store "FATALE" is not known; did you mean "FATAL"?
        LOGS/tripline.toml:8:17: count must be an integer from 1 to 2147483647, found 0
        LOGS/tripline.toml:9:18: within "5 minutes or so" is not a duration; write it like "90s", "5m", "1h30m" or "2d"
    "#]].assert_eq(&said(&setup, &setup.run(["run"]), 2));
    expect![[r#"
        tripline: error: LOGS/tripline.toml:3:9: unknown key "path" in [[source]]; did you mean "paths"?
        LOGS/tripline.toml:4:27: store "FATALE" is not known; did you mean "FATAL"?
        LOGS/tripline.toml:8:17: count must be an integer from 1 to 2147483647, found 0
        LOGS/tripline.toml:9:18: within "5 minutes or so" is not a duration; write it like "90s", "5m", "1h30m" or "2d"
    "#]].assert_eq(&said(&setup, &setup.run(["status"]), 2));
    let missing = setup.run(["--config".into(), setup.path("missing.toml"), "run".into()]);
    expect![[r#"
        tripline: error: cannot read config LOGS/missing.toml: No such file or directory (os error 2)
    "#]].assert_eq(&said(&setup, &missing, 2));
}

#[test]
fn a_pattern_that_is_no_regular_expression() {
    let setup = Setup::new();
    setup.config(
        r#"
        [[source]]
        paths = ["LOGS/app.log"]
        [[rule]]
        name = "broken"
        kind = "threshold"
        pattern = "time(out"
        count = 1
        within = "5m"
        "#,
    );
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\n");
    expect![[r#"
        tripline: error: rule "broken": pattern "time(out" is no regular expression of PostgreSQL: invalid regular expression: parentheses () not balanced
    "#]].assert_eq(&said(&setup, &setup.run(["run"]), 2));
}

#[test]
fn a_time_zone_that_does_not_exist() {
    let setup = Setup { zone: "Europe/Belrin", ..Setup::new() };
    let run = setup.run(["run".into(), setup.log()]);
    expect![[r#"
        tripline: error: the time zone of this host is "Europe/Belrin", which is no IANA name such as Europe/Berlin; set TZ, or timezone in the config
    "#]].assert_eq(&said(&setup, &run, 2));
}

#[test]
fn a_lock_that_cannot_be_made() {
    let setup = Setup::new();
    setup.write("app.log", "");
    setup.config("lock_file = \"LOGS/state/lock\"");
    setup.write("state", "a file where a folder should be");
    expect![[r#"
            tripline: error: cannot lock LOGS/state/lock: not a directory; make its folder writable, or set lock_file in the config
        "#]].assert_eq(&said(&setup, &setup.run(["run".into(), setup.log()]), 1));
}

#[test]
fn the_password_of_the_command_line_is_not_in_the_process_list() {
    let setup = Setup::new();
    setup.config("lock_file = \"LOGS/lock\"");
    let lock = RunLock::take(&setup.path("lock"), Duration::ZERO).unwrap();
    let url = "postgres://ann:Xy7Kq9@127.0.0.1:1/logs";
    for option in [vec!["--database-url", url], vec![&format!("--database-url={url}")]] {
        let mut command = setup.command(option);
        // The variable says another database, which the option overrides.
        command.args(["run", "app.log", "--wait", "600"]).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let list = format!("/proc/{}/cmdline", child.id());
        let hidden = loop {
            // With one system call: in two, the halves may be of before and after its new start.
            let mut line = vec![0; 4096];
            let length = File::open(&list).unwrap().read(&mut line).unwrap();
            let line = str::from_utf8(&line[..length]).unwrap().to_owned();
            // While it starts again, the arguments are not whole for a moment.
            if line.ends_with("\x00600\x00") && !line.contains(url) {
                break line;
            }
            assert!(child.try_wait().unwrap().is_none(), "it ended with its URL in the list");
        };
        let arguments: Vec<&str> = hidden.split_terminator('\0').skip(1).collect();
        let now = setup.now.as_str();
        assert_eq!(arguments, ["--now", now, "run", "app.log", "--wait", "600"]);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    drop(lock);
    let run = ran(setup.command(["--database-url", url, "run", "app.log"]).env("LC_ALL", "C"));
    expect![[r#"
        tripline: error: cannot connect to the database (given by --database-url): connection to server at "127.0.0.1", port 1 failed: Connection refused
        tripline: hint: is the server up, and may this user connect? The place in each log is kept; the next run goes on there
    "#]].assert_eq(&said(&setup, &run, 1));
}
