//! Servers that do not take a mail, or not for all, and that cannot be trusted.

use expect_test::expect;
use serde_json::Value;

use crate::server::{MailServer, header, write_certificates};
use crate::support::program::Setup;
use crate::{
    CERTIFICATE, LOGIN, at, configure, options, outbox, outbox_at, quiet_run_at, run_at, setup,
};

const THREE: &str =
    "encryption = 'none'\nto = ['ann@example.com', 'bob@example.com', 'eve@example.com']";

fn recipients(mails: &[Value]) -> Vec<String> {
    mails.iter().map(|mail| mail["to"].to_string()).collect()
}

#[test]
fn one_who_is_refused_costs_the_others_nothing() {
    let mut setup = setup();
    let server = MailServer::start(&setup, &["--refuse", "bob@example.com=550 5.1.1 no such user"]);
    configure(&setup, &at(&server, THREE));
    let ran = run_at(&mut setup, "12:00:00");
    let stderr = ran.stderr.replace(&format!(":{}", server.port), ":PORT");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "the others have got it");
    expect![[r#"
        tripline: warn: channel mail: 127.0.0.1:PORT did not take it for bob@example.com: 550 5.1.1 no such user
    "#]]
    .assert_eq(&stderr);
    expect!["fired 1 delivered 127.0.0.1:PORT did not take it for bob@example.com: 550 5.1.1 no such user"]
        .assert_eq(&outbox_at(&setup, server.port));
    quiet_run_at(&mut setup, "12:30:00");
    assert_eq!(recipients(&server.mails()), [r#"["ann@example.com","eve@example.com"]"#], "once");
}

#[test]
fn a_test_says_what_came_back() {
    let setup = setup();
    let server = MailServer::start(&setup, &["--refuse", "bob@example.com=550 5.1.1 no such user"]);
    configure(&setup, &at(&server, THREE));
    let ran = setup.run(["channel", "test", "mail"]);
    let visible = |text: &str| text.replace(&format!(":{}", server.port), ":PORT");
    assert_eq!(ran.code, Some(1), "not to all: {ran:?}");
    expect![[r#"
        mail (email) took the test message tripline-test-1768478400000: TEST info channel-test on web1: this is a test of the channel mail; nothing is wrong
        it said: 250 2.0.0 OK queued as 4F3A
    "#]].assert_eq(&visible(&ran.stdout));
    expect![[r#"
        tripline: error: channel mail has delivered, but: 127.0.0.1:PORT did not take it for bob@example.com: 550 5.1.1 no such user
    "#]].assert_eq(&visible(&ran.stderr));
    let mails = server.mails();
    assert_eq!(recipients(&mails), [r#"["ann@example.com","eve@example.com"]"#]);
    assert!(header(&mails[0], "Subject").starts_with("TEST info channel-test on web1: "));
    assert_eq!(outbox(&setup), [""; 0]);
}

#[test]
fn one_who_is_refused_for_now_is_named_again_and_then_told_of() {
    let mut setup = setup();
    let server = MailServer::start(&setup, &["--refuse", "eve@example.com=450 4.2.1 try later"]);
    configure(&setup, &at(&server, THREE));
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(0));
    expect![
        "fired 1 delivered 127.0.0.1:PORT did not take it for eve@example.com: 450 4.2.1 try later"
    ]
    .assert_eq(&outbox_at(&setup, server.port));
    assert_eq!(recipients(&server.mails()), [r#"["ann@example.com","bob@example.com"]"#]);
}

#[test]
fn a_server_that_takes_few_recipients_gets_the_mail_more_than_once() {
    let mut setup = setup();
    let server = MailServer::start(&setup, &["--most", "1"]);
    configure(&setup, &at(&server, THREE));
    quiet_run_at(&mut setup, "12:00:00");
    assert_eq!(
        recipients(&server.mails()),
        [r#"["ann@example.com"]"#, r#"["bob@example.com"]"#, r#"["eve@example.com"]"#]
    );
}

#[test]
fn when_all_are_refused_it_is_tried_again() {
    let mut setup = setup();
    let refuse = ["ann=550 5.1.1 no", "bob=450 4.2.1 later", "eve=550 5.7.1 you not"]
        .map(|one| one.replace('=', "@example.com="));
    let refuse: Vec<&str> = refuse.iter().flat_map(|one| ["--refuse", one]).collect();
    let server = MailServer::start(&setup, &refuse);
    configure(&setup, &at(&server, THREE));
    let ran = run_at(&mut setup, "12:00:00");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    expect!["fired 1 127.0.0.1:PORT takes none of the recipients: ann@example.com: 550 5.1.1 no; bob@example.com: 450 4.2.1 later; eve@example.com: 550 5.7.1 you not"]
        .assert_eq(&outbox_at(&setup, server.port));
    drop(server);
    let server = MailServer::start(&setup, &[]);
    configure(&setup, &at(&server, THREE));
    quiet_run_at(&mut setup, "12:02:00");
    assert_eq!(server.mails().len(), 1);
    assert_eq!(outbox(&setup), ["fired 2 delivered"]);
}

/// Three alerts at once, to a server that does not take the mails themselves.
fn three_mails(reply: &str) -> (Setup, MailServer) {
    let mut setup = setup();
    let server = MailServer::start(&setup, &["--reply", reply]);
    configure(&setup, &at(&server, "encryption = 'none'"));
    setup.config(&setup.read("tripline.toml").replace(
        "severity = 'critical'",
        "severity = 'critical'\npattern = 'user (\\w+)'\ngroup_by = ['$1']",
    ));
    let line = |user| format!("2026-01-15 11:59:00 [ERROR] user {user} is lost\n");
    setup.write("app.log", ["a", "b", "c"].map(line).concat());
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    assert_eq!(server.mails().len(), 0);
    (setup, server)
}

#[test]
fn a_mail_that_is_disliked_for_good_does_not_keep_the_next_ones() {
    let (setup, server) = three_mails("554 5.6.0 looks like spam");
    let line = "fired 1 127.0.0.1:PORT refused the mail: 554 5.6.0 looks like spam";
    assert_eq!(outbox_at(&setup, server.port), [line; 3].join("\n"));
}

#[test]
fn a_server_that_is_full_is_left_alone() {
    let (setup, server) = three_mails("452 4.3.1 no space left");
    let line = "fired 1 127.0.0.1:PORT refused the mail: 452 4.3.1 no space left";
    assert_eq!(outbox_at(&setup, server.port), [line, "fired 0", "fired 0"].join("\n"));
}

#[test]
fn a_wrong_password_is_told_to_nobody() {
    let mut setup = setup();
    write_certificates(&setup);
    let server = MailServer::start(
        &setup,
        &options(&[&["--encryption", "starttls", "--chatty"], &CERTIFICATE, &LOGIN]),
    );
    let keys = "username = 'tripline'\npassword = 'wr0ng-s3cr3t'\nca_file = 'LOGS/ca.pem'\n";
    configure(&setup, &at(&server, keys));
    setup.now = "2026-01-15T12:00:00Z".to_owned();
    let ran = setup.run(["-vv", "run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    expect!["fired 1 127.0.0.1:PORT refused the login: 535 5.7.8 not ***, as in ***"]
        .assert_eq(&outbox_at(&setup, server.port));
    let test = setup.run(["-vv", "channel", "test", "mail"]);
    assert_eq!(test.code, Some(1));
    let states = setup.rows("select to_jsonb(s)::text as value from channel_states s");
    let all = format!("{ran:?}{test:?}{:?}{states:?}", setup.contents());
    let encoded = ["AHRyaXBsaW5lAHdyMG5nLXMzY3IzdA==", "d3IwbmctczNjcjN0"];
    for secret in ["wr0ng-s3cr3t"].iter().chain(&encoded) {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    assert_eq!(server.mails().len(), 0);
}

#[test]
fn without_starttls_nothing_is_sent() {
    let mut setup = setup();
    let server = MailServer::start(&setup, &LOGIN);
    configure(&setup, &at(&server, "username = 'tripline'\npassword = 's3cr3t-w0rd'"));
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    expect!["fired 1 127.0.0.1:PORT offers no STARTTLS, so nothing was sent to it; is encryption = \"tls\" meant?"]
        .assert_eq(&outbox_at(&setup, server.port));
    assert_eq!(server.mails().len(), 0);
}

#[test]
fn a_certificate_of_nobody_known_or_for_another_name_is_refused() {
    let mut setup = setup();
    write_certificates(&setup);
    for (encryption, begun, later) in
        [("starttls", "12:00:00", "12:01:00"), ("tls", "12:04:00", "12:08:00")]
    {
        let server =
            MailServer::start(&setup, &options(&[&["--encryption", encryption], &CERTIFICATE]));
        let keys = format!("encryption = '{encryption}'");
        configure(&setup, &at(&server, &keys));
        assert_eq!(run_at(&mut setup, begun).code, Some(1));
        let reason = setup.value("select last_error as value from notifications");
        assert!(
            reason
                .contains("from nobody whom this host trusts; if it is yours, name it in ca_file"),
            "{reason}"
        );
        let keys = at(&server, &format!("{keys}\nca_file = 'LOGS/ca.pem'"));
        configure(&setup, &keys.replace("'127.0.0.1'", "'localhost'"));
        assert_eq!(run_at(&mut setup, later).code, Some(1));
        let reason = setup.value("select last_error as value from notifications");
        assert!(reason.contains("certificate not valid for name \"localhost\""), "{reason}");
        assert_eq!(server.mails().len(), 0);
    }
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let mut setup = setup();
    let server = MailServer::start(&setup, &[]);
    setup.write("empty.pem", "no certificate\n");
    for (time, file, reason) in [
        (
            "12:00:00",
            "missing.pem",
            "cannot read LOGS/missing.pem: No such file or directory (os error 2)",
        ),
        ("12:05:00", "empty.pem", "LOGS/empty.pem holds no certificates as PEM"),
    ] {
        configure(&setup, &at(&server, &format!("ca_file = 'LOGS/{file}'")));
        assert_eq!(run_at(&mut setup, time).code, Some(1));
        let folder = setup.folder.path().display().to_string();
        let found = setup.value("select last_error as value from notifications");
        assert!(found.replace(&folder, "LOGS").starts_with(reason), "{found}");
    }
}
