//! Mails: the real program and a real mail server (aiosmtpd) with TLS and AUTH, or the system's
//! own sendmail; servers that refuse, hang and break off; text that wants to be a header.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod faults;
mod refusals;
mod sendmail;
mod server;
#[path = "../support/mod.rs"]
mod support;

use expect_test::expect;
use server::{MailServer, header, write_certificates};
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
";

/// A log with one ERROR at noon.
fn setup() -> Setup {
    let setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:59:00 [ERROR] the disk is full\n");
    setup
}

/// A config with one channel, whose further keys are these.
fn configure(setup: &Setup, keys: &str) {
    setup.config(&format!(
        "{RULE}[[channel]]\nname = 'mail'\ntype = 'email'\n\
         from = 'Tripline <tripline@example.com>'\n{keys}\n"
    ));
}

/// The keys for a server on this host.
fn at(server: &MailServer, keys: &str) -> String {
    let to = if keys.contains("to = ") { "" } else { "to = 'ops@example.com'\n" };
    format!("{to}smtp_host = '127.0.0.1'\nsmtp_port = {}\n{keys}\n", server.port)
}

fn run_at(setup: &mut Setup, time: &str) -> Ran {
    setup.now = format!("2026-01-15T{time}Z");
    let ran = setup.run(["run"]);
    let folder = setup.folder.path().display().to_string();
    let visible = |text: &str| text.replace(&folder, "LOGS");
    Ran { code: ran.code, stdout: visible(&ran.stdout), stderr: visible(&ran.stderr) }
}

/// A run that has nothing to say.
#[track_caller]
fn quiet_run_at(setup: &mut Setup, time: &str) {
    let ran = run_at(setup, time);
    let said = (ran.code, ran.stdout.as_str(), ran.stderr.as_str());
    assert_eq!(said, (Some(0), "", ""), "{:#?}", outbox(setup));
}

/// What the database says of each notification: kind, attempts, whether it was delivered, and
/// what went wrong.
fn outbox(setup: &Setup) -> Vec<String> {
    setup.rows(
        "select concat_ws(' ', kind, attempts, case when delivered_at is not null then 'delivered' end,
                last_error) as value
         from notifications order by id",
    )
}

/// The same, where the only number in it that changes is that of the port.
fn outbox_at(setup: &Setup, port: u16) -> String {
    outbox(setup).join("\n").replace(&format!(":{port}"), ":PORT")
}

const LOGIN: [&str; 4] = ["--user", "tripline", "--password", "s3cr3t-w0rd"];
const CERTIFICATE: [&str; 4] = ["--certificate", "LOGS/server.pem", "--key", "LOGS/server.key"];

fn options<'a>(parts: &[&[&'a str]]) -> Vec<&'a str> {
    parts.concat()
}

#[test]
fn a_mail_goes_over_starttls_with_a_login() {
    let mut setup = setup();
    write_certificates(&setup);
    let server =
        MailServer::start(&setup, &options(&[&["--encryption", "starttls"], &CERTIFICATE, &LOGIN]));
    setup.write("password", "s3cr3t-w0rd\n");
    let keys = "username = 'tripline'\npassword_file = 'LOGS/password'\nca_file = 'LOGS/ca.pem'\n\
                to = ['Größe <ops@example.com>', 'ann@example.com']";
    configure(&setup, &at(&server, keys));
    quiet_run_at(&mut setup, "12:00:00");
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(mail["from"], "tripline@example.com");
    assert_eq!(mail["to"], serde_json::json!(["ops@example.com", "ann@example.com"]));
    assert_eq!((&mail["login"], &mail["encrypted"]), (&"tripline".into(), &true.into()));
    assert_eq!(mail["defects"], serde_json::json!([]));
    let types = ["multipart/alternative", "text/plain", "text/html"];
    assert_eq!(mail["types"], serde_json::json!(types));
    let folder = setup.folder.path().display().to_string();
    let subject = header(mail, "Subject").replace(&folder, "LOGS");
    assert_eq!(
        subject,
        "FIRED critical any on app (LOGS/app.log): 1 ERROR or FATAL within 1h (threshold 1)"
    );
    for (name, value) in [
        ("Date", "Thu, 15 Jan 2026 12:00:00 +0000"),
        ("From", "Tripline <tripline@example.com>"),
        ("To", "Größe <ops@example.com>, ann@example.com"),
        ("Auto-Submitted", "auto-generated"),
        ("Importance", "high"),
        ("X-Tripline-Key", "tripline-1"),
        ("X-Tripline-Rule", "any"),
    ] {
        assert_eq!(header(mail, name), value);
    }
    expect![[r#"
        1 ERROR or FATAL within 1h (threshold 1)
        rule: any (threshold)
        where: app (LOGS/app.log), read on web1
        since: 2026-01-15 11:59:00 +00:00
        more: tripline alerts show 1

        The newest entries:
        2026-01-15 11:59:00 +00:00 ERROR the disk is full
    "#]]
    .assert_eq(&mail["text"].as_str().unwrap().replace(&folder, "LOGS"));
    let html = mail["html"].as_str().unwrap();
    for shown in ["the disk is full", "tripline alerts show 1", "color-scheme"] {
        assert!(html.contains(shown), "{html}");
    }
    quiet_run_at(&mut setup, "12:01:00");
    assert_eq!(server.mails().len(), 1, "once");
    assert_eq!(outbox(&setup), ["fired 1 delivered"]);
}

#[test]
fn a_mail_goes_over_tls_where_the_client_has_a_certificate_too() {
    let mut setup = setup();
    write_certificates(&setup);
    let server = MailServer::start(
        &setup,
        &options(&[&["--encryption", "tls", "--client-ca", "LOGS/ca.pem"], &CERTIFICATE, &LOGIN]),
    );
    let keys = "encryption = 'tls'\nca_file = 'LOGS/ca.pem'\n\
                username = 'tripline'\npassword = 's3cr3t-w0rd'\n";
    configure(&setup, &at(&server, keys));
    let ran = run_at(&mut setup, "12:00:00");
    assert_eq!(ran.code, Some(1), "it shows no certificate: {ran:?}");
    assert_eq!(server.mails().len(), 0);
    let client = "client_cert_file = 'LOGS/client.pem'\nclient_key_file = 'LOGS/client.key'";
    configure(&setup, &at(&server, &format!("{keys}{client}")));
    quiet_run_at(&mut setup, "12:01:00");
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!((&mails[0]["encrypted"], &mails[0]["certificate"]), (&true.into(), &true.into()));
}

#[test]
fn all_mails_about_one_alert_are_one_thread() {
    let mut setup = setup();
    let server = MailServer::start(&setup, &[]);
    configure(&setup, &at(&server, "encryption = 'none'"));
    quiet_run_at(&mut setup, "12:00:00");
    quiet_run_at(&mut setup, "13:00:00");
    setup.append("app.log", "2026-01-15 15:00:00 [ERROR] again\n");
    quiet_run_at(&mut setup, "15:00:30");
    let mails = server.mails();
    let subjects: Vec<_> = mails.iter().map(|mail| header(mail, "Subject")).collect();
    assert!(subjects[1].starts_with("RESOLVED critical any on app"), "{subjects:?}");
    assert_eq!(mails.len(), 3, "{subjects:?}");
    let threads: Vec<_> = mails.iter().map(|mail| header(mail, "References")).collect();
    assert_eq!(threads[0], threads[1]);
    assert_ne!(threads[0], threads[2], "another alert");
    let mut ids: Vec<_> = mails.iter().map(|mail| header(mail, "Message-ID")).collect();
    assert!(ids[0].starts_with("<tripline-1.") && ids[0].ends_with("@example.com>"), "{ids:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_hostile_message_stays_text() {
    let mut setup = setup();
    let server = MailServer::start(&setup, &[]);
    configure(&setup, &at(&server, "encryption = 'none'"));
    setup.config(&setup.read("tripline.toml").replace(
        "severity = 'critical'",
        "severity = 'critical'\npattern = '(?s)user (.*)'\ngroup_by = ['$1']\nsummary = '{{group}}'",
    ));
    let mut line = b"2026-01-15 11:59:00 [ERROR] user x\rBcc: eve@example.com\r\r.\r".to_vec();
    line.extend(b"\x1b[2J\xff\xfe<script>alert(1)</script> {{ 7 * 7 }} \xe2\x80\xae ");
    line.extend(vec![b'x'; 1 << 20]);
    line.push(b'\n');
    setup.write("app.log", line);
    quiet_run_at(&mut setup, "12:00:00");
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(mail["to"], serde_json::json!(["ops@example.com"]));
    assert_eq!(mail["defects"], serde_json::json!([]));
    let names: Vec<_> = mail["headers"].as_array().unwrap().iter().map(|one| &one[0]).collect();
    assert!(!names.contains(&&"Bcc".into()), "{names:?}");
    let subject = header(mail, "Subject");
    assert!(subject.contains(r"x\rBcc: eve@example.com\r\r.\r"), "{subject}");
    assert!(!subject.contains(char::is_control) && subject.chars().count() <= 201, "{subject}");
    let (text, html) = (mail["text"].as_str().unwrap(), mail["html"].as_str().unwrap());
    assert!(!html.contains("<script>") && html.contains("{{ 7 * 7 }}"), "{html}");
    assert!(text.contains("<script>alert(1)</script>"), "{text}");
    for part in [text, html] {
        assert!(!part.contains(|c: char| c.is_control() && c != '\n'), "{part:?}");
        assert!(!part.contains('\u{202e}') && part.len() < 20_000, "{part}");
    }
}
