//! Secrets are sent to whom they are for, and shown to nobody.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use expect_test::expect;

use super::server::{Answer, Server, status, with_header};
use super::{channel, configure, run_at, setup, shown};
use crate::support::program::{Setup, contents, ran};

/// Everything that the program can be made to say, and all that it has stored.
fn everything(setup: &Setup) -> String {
    let mut said: Vec<String> = [
        &["status"][..],
        &["status", "--json"],
        &["alerts", "show", "1"],
        &["alerts", "--json", "--all"],
        &["-vv", "run"],
    ]
    .iter()
    .map(|arguments| format!("{:?}", setup.run(*arguments)))
    .collect();
    let mut trace = setup.command(["run"]);
    said.push(format!("{:?}", ran(trace.env("RUST_LOG", "trace"))));
    said.extend(contents(&mut setup.database.connect()));
    said.extend(setup.rows("select to_jsonb(t)::text as value from channel_states t"));
    said.extend(setup.rows("select to_jsonb(t)::text as value from runs t"));
    said.join("\n")
}

#[test]
fn a_server_that_repeats_them_gives_nothing_away() {
    let server = Server::new();
    let login = |path: &str| server.url(path).replace("//", "//ann:l0gin-abc@");
    for (config, secrets) in [
        (
            channel(
                "webhook",
                &login("/services/T123456/p4th-abc?sig=s1g-abcd"),
                "token = 'tok3n-abc'\nheaders = { X-Key = 'k3y-abc' }",
            ),
            &["tok3n-abc", "k3y-abc", "T123456", "p4th-abc", "s1g-abcd", "l0gin-abc"][..],
        ),
        (channel("pagerduty", &server.url("/"), "routing_key = 'r0uting-abc'"), &["r0uting-abc"]),
        (channel("gotify", &server.url("/"), "token = 'tok3n-abc'"), &["tok3n-abc"]),
    ] {
        let says = format!("what is {}?", secrets.join(" or "));
        for answer in [
            status(400, &says),
            // What is told of it is cut within the secret.
            status(401, &format!("{}{says}", "x".repeat(330))),
            with_header(302, "location", &says),
            Answer::Close,
            Answer::Nonsense,
        ] {
            server.answers(answer);
            let mut setup = setup(&config);
            let ran = run_at(&mut setup, "12:00:00");
            assert!(ran.stderr.contains("does not deliver: http://localhost:"), "{ran:?}");
            setup.now = "2026-01-15T12:01:00Z".to_owned();
            let said = format!("{ran:?}\n{}", everything(&setup));
            for secret in secrets {
                // Not even a part of it.
                assert!(!said.contains(&secret[..5]), "{secret} in {said}");
            }
        }
    }
    let sent = server.take();
    let is_event = |body: &[u8]| String::from_utf8_lossy(body).contains("r0uting-abc");
    assert!(sent.iter().any(|request| is_event(&request.body)));
}

#[test]
fn files_and_variables_hold_them_too() {
    let server = Server::new();
    let setup = setup(
        "[[channel]]\nname = 'gotify'\ntype = 'gotify'\nurl_env = 'GOTIFY_URL'\n\
         token_file = 'LOGS/token'\n",
    );
    setup.write("token", "t0ken\n");
    let mut command = setup.command(["run"]);
    ran(command.env("GOTIFY_URL", server.url("/sub"))).expect_silence();
    let requests = server.take();
    assert_eq!(requests[0].path, "/sub/message");
    assert_eq!(requests[0].header("x-gotify-key"), Some("t0ken"));
    assert_eq!(requests[0].header("authorization"), None);
}

#[test]
fn one_that_is_not_there_is_named() {
    let mut setup = setup(
        "[[channel]]\nname = 'one'\ntype = 'slack'\nurl_file = 'LOGS/url'\n\
         [[channel]]\nname = 'two'\ntype = 'slack'\nurl_env = 'SLACK_URL'\n\
         [[channel]]\nname = 'three'\ntype = 'slack'\nurl_file = 'LOGS/wrong'\n",
    );
    setup.write("wrong", "s3cret\n");
    let ran = run_at(&mut setup, "12:00:00");
    assert_eq!(ran.code, Some(1));
    expect![[r#"
        tripline: error: channel one does not deliver: cannot read the secret in LOGS/url: No such file or directory (os error 2); the messages wait and are tried again by later runs
        tripline: error: channel two does not deliver: the variable SLACK_URL is not set, which the config names for a secret; the messages wait and are tried again by later runs
        tripline: error: channel three does not deliver: the URL does not begin with https:// and a host; the messages wait and are tried again by later runs
    "#]].assert_eq(&ran.stderr);
}

#[test]
fn a_config_that_everybody_can_read_is_a_warning() {
    let server = Server::new();
    let setup = setup("");
    configure(
        &setup,
        &[
            channel("slack", &server.url("/s3cret"), ""),
            channel("webhook", &server.url("/"), "token = 's3cret'"),
            channel("ntfy", &server.url("/topic"), "token_env = 'X'"),
        ]
        .concat(),
    );
    let config = setup.path("tripline.toml");
    fs::set_permissions(config, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = setup.run(["-v", "status"]);
    expect![[r#"
        tripline: info: LOGS/tripline.toml has mode 0644, so every user of this host can read the secret in url of channel "slack": move it to a file of mode 0600 and name that in url_file
        tripline: info: LOGS/tripline.toml has mode 0644, so every user of this host can read the secret in token of channel "webhook": move it to a file of mode 0600 and name that in token_file
    "#]].assert_eq(&shown(&setup, &ran.stderr));
}

#[test]
fn secrets_that_go_over_the_network_in_clear_are_a_warning() {
    let setup = setup("");
    configure(
        &setup,
        &[
            channel("slack", "http://chat.example.com/s3cret", ""),
            channel("webhook", "http://localhost:1/", "token = 's3cret'"),
            "[[channel]]\nname = 'gotify'\ntype = 'gotify'\nurl_file = 'LOGS/url'\n\
             token_env = 'NOT_SET'\n"
                .to_owned(),
            "[heartbeat]\nurl = 'http://ann:s3cret@example.com/x'\n".to_owned(),
        ]
        .concat(),
    );
    setup.write("url", "HTTP://s3cret.example.com/\n");
    for command in [&["-v", "status"][..], &["rules", "check"]] {
        let ran = setup.run(command);
        let warnings = |line: &&str| line.contains("in clear");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let said =
            said.lines().filter(warnings).fold(String::new(), |said, line| said + line + "\n");
        let said = said.replace("tripline: info: ", "").replace("tripline: warn: ", "");
        expect![[r#"
            channel "slack" sends what nobody else should read (url) over http:// to chat.example.com, in clear for everybody on the way: use https://
            channel "gotify" sends what nobody else should read (token) over http:// to another host, in clear for everybody on the way: use https://
            [heartbeat] sends what nobody else should read (url) over http:// to example.com, in clear for everybody on the way: use https://
        "#]].assert_eq(&shown(&setup, &said));
    }
}
