//! Servers that do not do what they should: each ends in a clear word, in time, and the message
//! comes later.

use std::time::{Duration, Instant};

use super::server::{Answer, Server, status, with_header};
use super::{channel, quiet_run_at, run_at, setup};
use crate::support::program::Setup;

/// One run against a server that answers so: what is said about it, without its port.
fn told(answer: Answer) -> (Setup, Server, String) {
    let server = Server::new();
    // Those that answer have all the time that they need on a busy machine.
    let timeout = match answer {
        Answer::Never | Answer::Slowly | Answer::HeadOnly(_) => "timeout = '2s'",
        _ => "timeout = '25s'",
    };
    let mut setup = setup(&channel("slack", &server.url("/services/s3cret"), timeout));
    server.answers(answer);
    let begun = Instant::now();
    let ran = run_at(&mut setup, "12:00:00");
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
    let said = ran.stderr.replace(&server.port().to_string(), "PORT");
    let (_, reason) = said.split_once("channel slack does not deliver: ").unwrap();
    let reason = reason
        .strip_suffix("; the messages wait and are tried again by later runs\n")
        .unwrap()
        .to_owned();
    (setup, server, reason)
}

/// The same, and that the message arrives as soon as the server does what it should.
#[track_caller]
fn check(answer: Answer, reason: &str) {
    let (mut setup, server, told) = told(answer);
    assert_eq!(told, format!("http://localhost:PORT/…{reason}"));
    let before = server.take();
    server.answers(status(200, "ok"));
    quiet_run_at(&mut setup, "12:01:00");
    let after = server.take();
    assert_eq!(after.len(), 1);
    let key =
        |request: &super::server::Request| request.header("idempotency-key").map(str::to_owned);
    assert_eq!(before.iter().map(key).collect::<Vec<_>>(), [key(&after[0])], "the same key");
}

#[test]
fn one_that_never_answers() {
    check(Answer::Never, ": no answer within 2s");
}

#[test]
fn one_that_answers_byte_by_byte() {
    check(Answer::Slowly, ": no answer within 2s");
}

#[test]
fn one_that_closes_the_connection() {
    check(Answer::Close, ": Peer disconnected");
}

#[test]
fn one_that_speaks_another_protocol() {
    let (_setup, _server, told) = told(Answer::Nonsense);
    assert!(told.starts_with("http://localhost:PORT/…: protocol: "), "{told}");
}

#[test]
fn one_that_fails() {
    check(status(503, "back soon\r\n"), " answers 503 Service Unavailable: back soon");
    check(Answer::HeadOnly(500), " answers 500 Internal Server Error: the begin");
}

#[test]
fn one_that_has_said_yes_may_say_more_or_not() {
    let server = Server::new();
    server.answers(Answer::HeadOnly(200));
    let mut setup = setup(&channel("slack", &server.url("/"), "timeout = '5m'"));
    quiet_run_at(&mut setup, "12:00:00");
    assert_eq!(server.take().len(), 1);
}

#[test]
fn one_that_asks_for_time_gets_it() {
    for answer in [
        with_header(429, "retry-after", "1200"),
        Answer::Whole {
            status: 503,
            headers: vec![
                ("date", "Wed, 21 Oct 2015 07:28:00 GMT".to_owned()),
                ("retry-after", "Wed, 21 Oct 2015 07:48:00 GMT".to_owned()),
            ],
            body: String::new(),
        },
    ] {
        let (mut setup, server, _) = told(answer);
        server.take();
        server.answers(status(200, "ok"));
        quiet_run_at(&mut setup, "12:19:59");
        assert_eq!(server.take().len(), 0);
        quiet_run_at(&mut setup, "12:20:00");
        assert_eq!(server.take().len(), 1);
    }
}

#[test]
fn one_that_leads_elsewhere_is_not_followed() {
    let elsewhere = Server::new();
    for redirect in [301, 302, 307, 308] {
        let (_setup, _server, told) =
            told(with_header(redirect, "location", &elsewhere.url("/s3cret")));
        let (_, what) = told.split_once(&redirect.to_string()).unwrap();
        assert!(
            what.ends_with(
                ", which is not followed: name the address that it leads to in the config"
            ),
            "{told}"
        );
    }
    assert_eq!(elsewhere.take().len(), 0);
}

#[test]
fn one_that_refuses_a_message_gets_the_next_one() {
    let server = Server::new();
    server.answers(status(400, "invalid_blocks"));
    let rule = "[[rule]]\nname = 'other'\nkind = 'threshold'\ncount = 1\nwithin = '1h'\n";
    let mut setup = setup(&[rule, &channel("slack", &server.url("/"), "")].concat());
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    assert_eq!(server.take().len(), 2, "what it has against one may not hold for the other");
    server.answers(status(404, "no_service"));
    assert_eq!(run_at(&mut setup, "12:01:00").code, Some(1));
    assert_eq!(server.take().len(), 1, "who knows no such address knows it for no message");
}

#[test]
fn one_that_is_not_there() {
    let server = Server::new();
    let url = server.url("/services/s3cret");
    drop(server);
    let mut setup = setup(
        &[channel("slack", &url, ""), channel("teams", "http://nowhere.invalid/s3cret", "")]
            .concat(),
    );
    let ran = run_at(&mut setup, "12:00:00");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("/…: Connection refused"), "{ran:?}");
    assert!(ran.stderr.contains("channel teams does not deliver: http://nowhere.invalid/…: "));
    assert!(!ran.stderr.contains("s3cret"), "{ran:?}");
}

#[test]
fn one_that_hangs_costs_the_others_nothing() {
    let (hangs, works) = (Server::new(), Server::new());
    hangs.answers(Answer::Never);
    let mut setup = setup(
        &[
            channel("slack", &hangs.url("/"), "timeout = '2s'"),
            channel("webhook", &works.url("/"), ""),
        ]
        .concat(),
    );
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    assert_eq!(works.take().len(), 1);
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    let (proxy, server) = (Server::new(), Server::new());
    proxy.answers(Answer::Tunnel);
    let url = format!("http://chat.example.com:{}/services/s3cret", server.port());
    let setup = setup(&channel("slack", &url, ""));
    let run = |variables: &[(&str, &str)]| {
        let mut command = setup.command(["run"]);
        command.envs(variables.iter().copied());
        crate::support::program::ran(&mut command)
    };
    let address = format!("http://ann:passw0rd@127.0.0.1:{}", proxy.port());
    run(&[("http_proxy", &address)]).expect_silence();
    let asked = proxy.take();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].method, "CONNECT");
    assert_eq!(asked[0].path, format!("chat.example.com:{}", server.port()));
    assert_eq!(asked[0].header("proxy-authorization"), Some("Basic YW5uOnBhc3N3MHJk"));
    assert_eq!(server.take()[0].path, "/services/s3cret");
}
