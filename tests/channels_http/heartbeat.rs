//! The sign of life after a run.

use std::fs;

use expect_test::expect;

use crate::server::{Answer, Server, status};
use crate::support::program::Setup;
use crate::{configure, run_at, setup};

fn with_heartbeat(server: &Server, keys: &str) -> Setup {
    let url = server.url("/s3cret?x=1");
    setup(&format!("[heartbeat]\nurl = '{url}'\n{keys}\n"))
}

/// What has come: method, path and body.
fn beats(server: &Server) -> Vec<String> {
    let shown = |one: crate::server::Request| {
        let body = String::from_utf8(one.body).unwrap();
        format!("{} {} {body}", one.method, one.path).trim_end().to_owned()
    };
    server.take().into_iter().map(shown).collect()
}

#[test]
fn each_run_says_whether_it_went_well() {
    let server = Server::new();
    let mut setup = with_heartbeat(&server, "");
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(0));
    assert_eq!(beats(&server), ["POST /s3cret?x=1 exit code 0"]);
    fs::remove_file(setup.log()).unwrap();
    assert_eq!(run_at(&mut setup, "12:01:00").code, Some(1));
    assert_eq!(beats(&server), ["POST /s3cret/fail?x=1 exit code 1"]);
    // Also where the database is not there.
    let ran = setup.run(["--database-url", "postgresql://127.0.0.1:1/x", "run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(beats(&server), ["POST /s3cret/fail?x=1 exit code 1"]);
    for command in ["status", "alerts"] {
        setup.run([command]);
    }
    assert_eq!(beats(&server), [""; 0], "only runs have one");

    let mut setup = with_heartbeat(&server, "method = 'get'");
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(0));
    assert_eq!(beats(&server), ["GET /s3cret?x=1"]);
}

#[test]
fn one_that_fails_is_told_of_once_and_the_run_exits_1() {
    let server = Server::new();
    server.answers(status(500, "s3cret is out of order"));
    let mut setup = with_heartbeat(&server, "");
    let ran = run_at(&mut setup, "12:00:00");
    let port = server.port().to_string();
    expect![[r#"
        tripline: error: heartbeat: http://localhost:PORT/… answers 500 Internal Server Error: *** is out of order
    "#]].assert_eq(&ran.stderr.replace(&port, "PORT"));
    assert_eq!(ran.code, Some(1));
    // The work is done all the same.
    assert!(ran.stdout.starts_with("FIRED"), "{ran:?}");
    let ran = run_at(&mut setup, "12:01:00");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let ran = run_at(&mut setup, "13:00:30");
    assert!(ran.stderr.contains("heartbeat"), "again after an hour: {ran:?}");
    let said = setup.run(["status"]).stdout;
    assert!(said.contains("[heartbeat] has failed since 2026-01-15 12:00:00Z"), "{said}");

    server.answers(status(200, "ok"));
    assert_eq!(run_at(&mut setup, "13:02:00").code, Some(0));
    assert!(!setup.run(["status"]).stdout.contains("heartbeat"));
}

#[test]
fn one_that_hangs_costs_its_time_and_no_more() {
    let server = Server::new();
    server.answers(Answer::Never);
    let mut setup = setup("");
    let url = server.url("/s3cret");
    configure(&setup, &format!("[heartbeat]\nurl = '{url}'\ntimeout = '1s'\n"));
    let ran = run_at(&mut setup, "12:00:00");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("no answer within 1s"), "{ran:?}");
}
