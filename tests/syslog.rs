//! The channel `syslog`: the real program and a socket of each kind, whose messages are read by
//! a parser that takes what RFC 5424 allows and nothing else.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use support::program::{Ran, Setup};

/// A message, as RFC 5424, section 6, writes it.
#[derive(Debug, PartialEq)]
struct Parsed {
    facility: u16,
    severity: u16,
    time: DateTime<Utc>,
    host: String,
    program: String,
    process: String,
    id: String,
    data: BTreeMap<String, String>,
    text: String,
}

/// Takes a message apart; panics where it is not one.
fn parse(message: &[u8]) -> Parsed {
    // PRI = "<" 1*3DIGIT ">", VERSION = NONZERO-DIGIT 0*2DIGIT
    let text = std::str::from_utf8(message).unwrap();
    let (priority, rest) = text.strip_prefix('<').unwrap().split_once('>').unwrap();
    assert!(
        (1..=3).contains(&priority.len()) && !(priority.len() > 1 && priority.starts_with('0'))
    );
    let priority: u16 = priority.parse().unwrap();
    assert!(priority <= 191);
    let rest = rest.strip_prefix("1 ").unwrap();
    let mut words = rest.splitn(6, ' ');
    let mut word = |most: usize| {
        let word = words.next().unwrap();
        assert!((1..=most).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_graphic()));
        word.to_owned()
    };
    // TIMESTAMP: FULL-DATE "T" FULL-TIME, with "T" and "Z" in capitals.
    let time = word(32);
    assert!(time.contains('T') && !time.contains(['t', 'z']), "{time}");
    // TIME-SECFRAC = "." 1*6DIGIT
    let fraction = time.split_once('.').map(|(_, rest)| rest.trim_end_matches('Z'));
    assert!(fraction.is_none_or(|digits| (1..=6).contains(&digits.len())), "{time}");
    let (host, program, process, id) = (word(255), word(48), word(128), word(32));
    let (data, text) = structured_data(words.next().unwrap());
    let marked = text.strip_prefix('\u{feff}');
    assert!(marked.is_some() || text.is_ascii(), "UTF-8 without its mark: {text}");
    let text = marked.unwrap_or(text);
    Parsed {
        facility: priority / 8,
        severity: priority % 8,
        time: time.parse().unwrap(),
        host,
        program,
        process,
        id,
        data,
        text: text.to_owned(),
    }
}

/// `STRUCTURED-DATA [SP MSG]`, of one element: its parameters, and the text.
fn structured_data(text: &str) -> (BTreeMap<String, String>, &str) {
    let is_name = |name: &str| {
        (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'=' | b']' | b'"'))
    };
    let rest = text.strip_prefix('[').unwrap();
    let end = rest.find([' ', ']']).unwrap();
    let (id, mut rest) = rest.split_at(end);
    assert!(is_name(id));
    // Without a registered name it has to hold the number of an enterprise.
    let (_, number) = id.split_once('@').unwrap();
    assert!(number.parse::<u32>().is_ok(), "{id}");
    let mut data = BTreeMap::new();
    while let Some(parameter) = rest.strip_prefix(' ') {
        let (name, value) = parameter.split_once("=\"").unwrap();
        assert!(is_name(name), "{name}");
        let mut unescaped = String::new();
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next().unwrap() {
                (at, '"') => break at,
                (_, ']') => panic!("] that is not escaped: {value}"),
                (_, '\\') => {
                    let (_, escaped) = characters.next().unwrap();
                    assert!(matches!(escaped, '"' | '\\' | ']'), "\\{escaped} in {value}");
                    unescaped.push(escaped);
                }
                (_, character) => unescaped.push(character),
            }
        };
        assert!(data.insert(name.to_owned(), unescaped).is_none(), "{name} twice");
        rest = &value[end + 1..];
    }
    (data, rest.strip_prefix("] ").unwrap())
}

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
pattern = '(?s)user (.*)'
group_by = ['source', '$1']
";

fn setup(user: &[u8], keys: &str) -> Setup {
    let setup = Setup::new();
    setup.write("app.log", [b"2026-01-15 11:59:00 [ERROR] user ", user, b"\n"].concat());
    let channel = "[[channel]]\nname = 'log'\ntype = 'syslog'\nsocket = 'LOGS/log'";
    setup.config(&format!("{RULE}{channel}\n{keys}\n"));
    setup
}

fn run_at(setup: &mut Setup, time: &str) -> Ran {
    setup.now = format!("2026-01-15T{time}Z");
    setup.run(["run"])
}

/// What has come to a socket so far.
fn received(socket: &UnixDatagram) -> Vec<Vec<u8>> {
    socket.set_nonblocking(true).unwrap();
    let mut buffer = vec![0; 65_536];
    std::iter::from_fn(|| socket.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec()))
        .collect()
}

/// Sends to the socket until it takes nothing more.
fn fill(setup: &Setup) {
    for _ in 0..100 {
        let filler = UnixDatagram::unbound().unwrap();
        filler.set_nonblocking(true).unwrap();
        // The first that fails may have reached what one sender may send.
        let sent = std::iter::repeat_with(|| filler.send_to(b"full", setup.path("log")));
        if sent.take_while(Result::is_ok).count() == 0 {
            return;
        }
    }
    panic!("the socket never gets full");
}

#[test]
fn an_alert_and_its_end_are_messages() {
    let mut setup = setup(b"ann", "facility = 'local3'");
    let socket = UnixDatagram::bind(setup.path("log")).unwrap();
    run_at(&mut setup, "12:00:00.250999999").expect_silence();
    run_at(&mut setup, "13:00:00").expect_silence();
    let rendered = setup.run(["rules", "render", "any", "--channel", "log"]);
    assert!(
        rendered.stdout.contains("\nbody   <154>1 2026-01-15T13:00:00.000Z web1 "),
        "{rendered:?}"
    );
    let folder = setup.folder.path().display().to_string();
    let [fired, resolved] = &received(&socket)[..] else { panic!("two messages") };
    let fired = parse(fired);
    let data = [
        ("alert", "1"),
        ("group", "ann"),
        ("key", "tripline-1"),
        ("path", &format!("{folder}/app.log")),
        ("rule", "any"),
        ("severity", "critical"),
        ("since", "2026-01-15T11:59:00.000Z"),
        ("source", "app"),
        ("status", "firing"),
    ];
    let expected = Parsed {
        facility: 19,
        severity: 2,
        time: "2026-01-15T12:00:00.250Z".parse().unwrap(),
        host: "web1".to_owned(),
        program: "tripline".to_owned(),
        process: fired.process.clone(),
        id: "fired".to_owned(),
        data: data.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        text: format!(
            "FIRED: critical any (alert 1) on app ({folder}/app.log) for ann: 1 ERROR or FATAL \
             within 1h (threshold 1), since 2026-01-15 11:59:00 +00:00: user ann"
        ),
    };
    assert_eq!(fired, expected);
    assert!(fired.process.parse::<u32>().is_ok());
    let resolved = parse(resolved);
    assert_eq!(
        (resolved.severity, &*resolved.id, &*resolved.data["status"]),
        (5, "resolved", "resolved")
    );
}

#[test]
fn a_digest_is_a_message_for_each_and_a_title_of_ones_own_is_the_text() {
    let mut setup = setup(b"ann", "every = '1h'\ntitle = 'größer: {{ summary }}'");
    setup.append("app.log", "2026-01-15 11:59:30 [ERROR] user bob\n");
    let socket = UnixDatagram::bind(setup.path("log")).unwrap();
    run_at(&mut setup, "12:00:30").expect_silence();
    run_at(&mut setup, "13:00:30").expect_silence();
    let messages: Vec<_> = received(&socket).iter().map(|one| parse(one)).collect();
    assert!(messages.len() > 1);
    for message in &messages {
        assert_eq!(message.text, "größer: 1 ERROR or FATAL within 1h (threshold 1)");
        assert_eq!(message.facility, 3, "daemon is the default");
    }
    let groups: Vec<_> = messages.iter().map(|one| &*one.data["group"]).collect();
    assert!(groups.contains(&"ann") && groups.contains(&"bob"), "{groups:?}");
}

#[test]
fn a_stream_gets_a_line_for_each() {
    let mut setup = setup(b"ann", "");
    let listener = UnixListener::bind(setup.path("log")).unwrap();
    let reader = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut read = Vec::new();
        connection.read_to_end(&mut read).unwrap();
        read
    });
    run_at(&mut setup, "12:00:00").expect_silence();
    let read = reader.join().unwrap();
    let message = parse(read.strip_suffix(b"\n").unwrap());
    assert_eq!(message.id, "fired");
    assert!(!message.text.contains('\n'));
}

#[test]
fn hostile_text_stays_a_value() {
    let user = [
        b"\"]\\ [x@1 a=\"b\"]\r\n<0>1 - - - - - -\x1b[2J\xff\xe2\x80\xae\xef\xbb\xbf".to_vec(),
        "größe ".repeat(1_000).into_bytes(),
        vec![b'x'; 1 << 20],
    ]
    .concat();
    let mut setup = setup(&user, "");
    let socket = UnixDatagram::bind(setup.path("log")).unwrap();
    run_at(&mut setup, "12:00:00").expect_silence();
    let messages = received(&socket);
    let [message] = &messages[..] else { panic!("one message: {messages:?}") };
    assert!(message.len() <= 2_048, "{}", message.len());
    let message = parse(message);
    assert_eq!(message.id, "fired");
    assert!(!message.text.contains(char::is_control), "{message:?}");
    assert!(message.data.values().all(|value| !value.contains(char::is_control)), "{message:?}");
    assert!(message.data["group"].starts_with("\"]\\ [x@1 a=\"b\"]"), "{message:?}");
}

#[test]
fn a_socket_that_is_not_there_or_full_is_told_of() {
    let mut setup = setup(b"ann", "timeout = '1s'");
    let ran = run_at(&mut setup, "12:00:00");
    assert_eq!(ran.code, Some(1));
    let folder = setup.folder.path().display().to_string();
    let reason = setup.value("select last_error as value from notifications");
    assert_eq!(
        reason.replace(&folder, "LOGS"),
        "cannot write to LOGS/log: No such file or directory (os error 2)"
    );
    // Nobody reads from it.
    let socket = UnixDatagram::bind(setup.path("log")).unwrap();
    fill(&setup);
    let begun = Instant::now();
    assert_eq!(run_at(&mut setup, "12:01:00").code, Some(1));
    assert!(begun.elapsed() < Duration::from_secs(30));
    let reason = setup.value("select last_error as value from notifications");
    assert_eq!(reason, "no answer within 1s");
    received(&socket);
    run_at(&mut setup, "12:03:30").expect_silence();
    assert_eq!(received(&socket).len(), 1);
}
