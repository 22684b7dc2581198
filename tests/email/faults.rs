//! Servers that hang, dawdle, break off and talk nonsense: each ends in time and in a record.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::{configure, outbox_at, run_at, setup};

/// A server that does this with each connection; returns its port.
fn server(serve: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(connection));
        }
    });
    port
}

/// What the database says after a run with such a server, which ends in time.
fn record(encryption: &str, serve: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> String {
    let mut setup = setup();
    let port = server(serve);
    configure(
        &setup,
        &format!(
            "to = 'ops@example.com'\nsmtp_host = '127.0.0.1'\nsmtp_port = {port}\n\
             encryption = '{encryption}'\ntimeout = '2s'"
        ),
    );
    let begun = Instant::now();
    let ran = run_at(&mut setup, "12:00:00");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("channel mail does not deliver"), "{ran:?}");
    outbox_at(&setup, port)
}

/// Until the other side has gone.
fn wait(mut connection: TcpStream) {
    let mut buffer = [0; 4096];
    while matches!(connection.read(&mut buffer), Ok(1..)) {}
}

/// Answers each line with the next of these, and then waits.
fn says(mut connection: TcpStream, answers: &[&str]) {
    for (index, answer) in answers.iter().enumerate() {
        let mut buffer = [0; 4096];
        if index > 0 && !matches!(connection.read(&mut buffer), Ok(1..)) {
            return;
        }
        if connection.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
    wait(connection);
}

#[test]
fn one_that_says_nothing() {
    for encryption in ["none", "starttls", "tls"] {
        let expected = "fired 1 127.0.0.1:PORT: no answer within 2s";
        assert_eq!(record(encryption, wait), expected, "{encryption}");
    }
}

#[test]
fn one_that_hangs_after_the_mail() {
    let record = record("none", |connection| {
        says(
            connection,
            &["220 hello\r\n", "250 hello\r\n", "250 OK\r\n", "250 OK\r\n", "354 go\r\n"],
        );
    });
    assert_eq!(record, "fired 1 127.0.0.1:PORT: no answer within 2s");
}

#[test]
fn one_that_sends_a_byte_at_a_time() {
    let record = record("none", |mut connection| {
        for byte in b"220 this takes a long long time ".iter().cycle() {
            if connection.write_all(&[*byte]).is_err() {
                return;
            }
            // Its own pace; no test waits for it.
            thread::sleep(Duration::from_millis(100));
        }
    });
    assert_eq!(record, "fired 1 127.0.0.1:PORT: no answer within 2s");
}

#[test]
fn one_that_closes_early() {
    for count in 0..5 {
        let answers = ["220 hello\r\n", "250 hello\r\n", "250 OK\r\n", "250 OK\r\n", "354 go\r\n"];
        let record = record("none", move |mut connection| {
            for answer in &answers[..count] {
                connection.write_all(answer.as_bytes()).unwrap();
                let _ = connection.read(&mut [0; 4096]);
            }
        });
        // Where it closes before it has read all, its system resets the connection.
        let is_right = ["closed the connection", "Connection reset by peer", "Broken pipe"]
            .iter()
            .any(|reason| record.contains(reason));
        assert!(is_right && record.starts_with("fired 1 127.0.0.1:PORT"), "{count}: {record}");
    }
}

#[test]
fn one_that_speaks_something_else() {
    let http = record("none", |connection| {
        says(connection, &["HTTP/1.1 400 Bad Request\r\n\r\n"]);
    });
    assert_eq!(http, "fired 1 127.0.0.1:PORT answers what no mail server says");
    let clear = record("tls", |connection| says(connection, &["220 this is no TLS\r\n"]));
    assert!(clear.starts_with("fired 1 127.0.0.1:PORT: "), "{clear}");
}

#[test]
fn one_that_floods_is_not_listened_to() {
    let record =
        record("none", |mut connection| while connection.write_all(&[b'2'; 1 << 14]).is_ok() {});
    assert_eq!(record, "fired 1 127.0.0.1:PORT answers what no mail server says");
    let record = self::record("none", |mut connection| {
        while connection.write_all(&b"220-hello\r\n".repeat(1_000)).is_ok() {}
    });
    assert_eq!(record, "fired 1 127.0.0.1:PORT answers what no mail server says");
}

#[test]
fn what_is_said_in_clear_after_starttls_is_no_answer() {
    let record = record("starttls", |connection| {
        let injected = "220 go\r\n250 trust me\r\n250 OK\r\n250 OK\r\n354 go\r\n250 delivered\r\n";
        says(connection, &["220 hello\r\n", "250-hello\r\n250 STARTTLS\r\n", injected]);
    });
    assert_eq!(record, "fired 1 127.0.0.1:PORT: no answer within 2s");
}

#[test]
fn one_that_has_no_time() {
    let record = record("none", |connection| says(connection, &["421 4.3.2 too busy\x1b[2J\r\n"]));
    assert_eq!(
        record,
        "fired 1 127.0.0.1:PORT refused the conversation: 421 4.3.2 too busy\\u{1b}[2J"
    );
}

#[test]
fn one_that_is_not_there() {
    let mut setup = setup();
    // Nobody listens on a port that was just given back.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    configure(
        &setup,
        &format!("to = 'ops@example.com'\nsmtp_host = '127.0.0.1'\nsmtp_port = {port}"),
    );
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    assert_eq!(
        outbox_at(&setup, port),
        "fired 1 127.0.0.1:PORT: Connection refused (os error 111)"
    );
}
