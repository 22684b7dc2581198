//! The mails as they are sent; `UPDATE_EXPECT=1` writes what they are now.

use std::path::Path;

use expect_test::expect_file;
use lettre::message::Mailbox;

use super::mail::mail;
use crate::model::Tick;
use crate::notify::content::{Message, Notification, Templates};
use crate::notify::outbox::{Due, Sample};

fn due(id: i64, kind: &str) -> Due {
    Due {
        id,
        alert_id: 7,
        kind: kind.to_owned(),
        tells_beginning: kind == "fired",
        created_at: "2026-01-01T11:04:00Z".parse().unwrap(),
        attempts: 0,
        rule: "error-burst".to_owned(),
        rule_kind: "threshold".to_owned(),
        group: String::new(),
        factor: None,
        lookback_seconds: 0,
        runbook: Some("https://wiki.example.com/runbooks/checkout?from=tripline&page=1".to_owned()),
        is_across: false,
        is_withdrawn: false,
        severity: "critical".to_owned(),
        levels: "ERROR,FATAL".to_owned(),
        within_seconds: 300,
        summary: None,
        source_id: 1,
        source: "checkout".to_owned(),
        path: "/var/log/shop/checkout.log".to_owned(),
        timezone: "Europe/Berlin".to_owned(),
        first_seen_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        host: "web1".to_owned(),
        about_host: Some("web1".to_owned()),
        started_at: "2026-01-01T11:03:05Z".parse().unwrap(),
        ended_at: Some("2026-01-01T11:26:40Z".parse().unwrap()),
        measured: 6.0,
        threshold: 5.0,
        number: 1,
        further: 0,
        sample: None,
    }
}

fn sample(second: u32, level: &str, message: &str) -> Sample {
    Sample {
        logged_at: format!("2026-01-01T11:03:{second:02}.250Z").parse().unwrap(),
        level: level.to_owned(),
        message: message.to_owned(),
        path: "/var/log/shop/checkout.log".to_owned(),
        byte_offset: 1234,
        timezone: "Europe/Berlin".to_owned(),
    }
}

fn samples() -> Vec<Sample> {
    vec![
        sample(
            5,
            "FATAL",
            "no connection to payments.example.com:443 after 3 attempts\n  at pay()",
        ),
        sample(4, "ERROR", "order 4711: payment not confirmed within 30s, gives up"),
        sample(
            1,
            "ERROR",
            "java.net.SocketTimeoutException: com.example.shop.payments.client.PaymentsHttpClientWithAVeryLongNameThatNobodyBreaks.connect(PaymentsHttpClientWithAVeryLongNameThatNobodyBreaks.java:217)",
        ),
    ]
}

fn notification(due: &Due, samples: Vec<Sample>) -> Notification {
    Notification::new(due, samples)
}

fn written(notifications: Vec<Notification>, templates: Templates<'_>) -> String {
    let from: Mailbox = "Tripline <tripline@example.com>".parse().unwrap();
    let to: Vec<Mailbox> = vec![
        "\"Größe, Ann\" <ann@example.com>".parse().unwrap(),
        "ops@example.com".parse().unwrap(),
    ];
    let tick = Tick("2026-01-01T11:04:00Z".parse().unwrap());
    let message = Message::new(notifications, templates, tick);
    let mail = mail(&from, &to, &message).unwrap();
    let mail = String::from_utf8(mail).unwrap();
    for line in mail.split("\r\n") {
        assert!(line.len() <= 998, "RFC 5322, section 2.1.1: {line}");
        assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line:?}");
    }
    mail.replace("\r\n", "\n")
}

fn check(name: &str, mail: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/notify/channels/email/golden");
    expect_file![folder.join(name)].assert_eq(mail);
}

#[test]
fn an_alert_that_fires() {
    let fired = notification(&due(12, "fired"), samples());
    check("fired.eml", &written(vec![fired], Templates::default()));
}

#[test]
fn an_alert_that_is_over_is_in_the_same_thread() {
    let resolved = notification(&due(13, "resolved"), vec![]);
    let mail = written(vec![resolved], Templates::default());
    check("resolved.eml", &mail);
    let header = |mail: &str, name: &str| {
        mail.lines().find(|line| line.starts_with(name)).unwrap().to_owned()
    };
    let fired = written(vec![notification(&due(12, "fired"), vec![])], Templates::default());
    for name in ["References: ", "In-Reply-To: "] {
        assert_eq!(header(&fired, name), header(&mail, name));
    }
    assert_ne!(header(&fired, "Message-ID: "), header(&mail, "Message-ID: "));
}

#[test]
fn a_digest_is_one_mail_with_all_of_them() {
    let warning = Due {
        alert_id: 8,
        severity: "warning".to_owned(),
        rule: "slow-queries".to_owned(),
        runbook: None,
        group: "db-2.example.com".to_owned(),
        ..due(14, "fired")
    };
    let storm = Due { alert_id: 9, further: 213, severity: "info".to_owned(), ..due(15, "storm") };
    let digest = vec![
        notification(&due(12, "fired"), samples()),
        notification(&warning, samples()),
        notification(&due(13, "resolved"), vec![]),
        notification(&storm, vec![]),
    ];
    check("digest.eml", &written(digest, Templates::default()));
}

#[test]
fn a_long_digest_has_a_line_for_each() {
    let many = (1..=60).map(|id| {
        let due = Due { alert_id: id, group: format!("192.0.2.{id}"), ..due(id, "fired") };
        notification(&due, samples())
    });
    let mail = written(many.collect(), Templates::default());
    assert!(mail.matches("192.0.2.60").count() >= 2, "in the text and in the page");
    let page = &mail[mail.find("text/html").unwrap()..];
    assert!(page.len() < 100_000, "Gmail cuts what is longer: {}", page.len());
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "x =?utf-8?q?fake?=\r\nBcc: eve@example.com\r\n\r\n--=_tripline-12\r\n\u{1b}[2J\u{202e}<script>alert(1)</script><img src=x onerror=alert(2)> &amp; {{ 7 * 7 }} \u{0} größe .";
    let due = Due {
        group: hostile.to_owned(),
        source: hostile.to_owned(),
        path: hostile.to_owned(),
        summary: Some(format!("{{{{group}}}} {}", "x".repeat(5_000))),
        runbook: Some(format!("javascript:alert(3)//{hostile}")),
        rule: "a\"b'c<d>".to_owned(),
        ..due(12, "fired")
    };
    let samples = vec![
        sample(5, "ERROR", hostile),
        sample(4, "ERROR", &hostile[hostile.find("Bcc").unwrap()..]),
    ];
    let mail = written(vec![notification(&due, samples)], Templates::default());
    let page = &mail[mail.find("text/html").unwrap()..];
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(!mail.contains("\nBcc:") && mail.matches("\n--=_tripline-12").count() == 3);
    check("hostile.eml", &mail);
}

#[test]
fn templates_are_shown_as_they_are() {
    let templates = Templates {
        title: Some("{{ severity|upper }} größer als sonst: {{ summary }}"),
        text: Some("<b>{{ summary }}</b>\n\nsince {{ started_at }}\n"),
    };
    let fired = notification(&due(12, "fired"), samples());
    check("own.eml", &written(vec![fired], templates));
}
