//! What a line costs to parse, in nanoseconds: `cargo bench --bench parse`; with a word behind
//! `--`, of those rows only whose name holds it.
//!
//! The lines of the row of a format are those of its fixture that begin an entry, over and over:
//! each of another shape, most of them awkward, and with days that jump. A row `usual` has what a
//! server writes: the lines that nearly all are, a second or so after each other, and one line of
//! the fixture in twenty; read as where the format is left to tripline.
//!
//! Plain timing, the best of several rounds: what the machine does besides only ever adds.

#![expect(clippy::print_stdout, reason = "printing is what a benchmark is for")]

use std::hint::black_box;
use std::time::Instant;

use tripline::model::joined;
use tripline::parse::fingerprint::Fingerprinter;
use tripline::parse::text::clean_into;
use tripline::parse::{Format, Line, Parser};

const LINES: u32 = 10_000;
/// Without optimisation it only has to run: `cargo test --all-targets` does that.
const ROUNDS: usize = if cfg!(debug_assertions) { 1 } else { 100 };

fn main() {
    let short = "This is a message of 45B";
    let long =
        "request 7f3a of user 1234 to /api/v1/orders took 87 ms, status 500, upstream 10.0.0.7";
    let levels = ["INFO", "ERROR", "DEBUG", "WARNING"];
    let level = |index: u32| levels[index as usize % levels.len()];
    let clock = |second: u32| {
        format!("{:02}:{:02}:{:02}", second / 3_600 % 24, second / 60 % 60, second % 60)
    };

    parse("head, minute seen", |i| {
        format!("2026-03-01 12:30:{:02} [{}] {short}", i % 60, level(i))
    });
    parse("head, 120 bytes", |i| format!("2026-03-01 12:30:{:02} [{}] {long}", i % 60, level(i)));
    parse("head, fraction and zone", |i| {
        format!("2026-03-01T12:30:{:02}.123456+01:00 [{}] {short}", i % 60, level(i))
    });
    parse("head, lower case", |i| {
        format!("2026-03-01 12:30:{:02} [{}] {short}", i % 60, level(i).to_lowercase())
    });
    parse("head, every line a minute", |i| {
        format!("2026-03-01 {} [{}] {short}", clock(i * 60), level(i))
    });
    parse("head, every line a new hour", |i| {
        format!("2026-03-01 {} [{}] {short}", clock(i * 3_600), level(i))
    });
    parse("head, repeated hour", |i| {
        format!("2026-10-25 02:30:{:02} [{}] {short}", i % 60, level(i))
    });
    parse("indented continuation", |i| format!("\tat com.example.Main.run(Main.java:{i})"));
    parse("exception continuation", |i| format!("java.lang.IllegalStateException: closed {i}"));
    parse("garbage", |i| format!("garbage line here, number {i}"));
    parse_as(Format::Json, "JSON, 200 bytes", |i| {
        let level = level(i).to_lowercase();
        let clock = clock(i);
        format!(
            "{{\"time\":\"2026-03-01T{clock}.123456Z\",\"level\":\"{level}\",\"msg\":\"{short}\",\
             \"logger\":\"com.example.Orders\",\"thread\":\"main\",\"user\":1234,\"took\":87.25,\
             \"request\":\"7f3a-17\"}}"
        )
    });

    for format in Format::ALL {
        let lines = heads(format);
        parse_as(format, format.as_str(), |i| lines[i as usize % lines.len()].clone());
    }
    let awkward = [Format::Syslog, Format::Access].map(heads);
    let usual = |i: u32, written: String, awkward: &[String]| match i % 20 {
        19 => awkward[i as usize / 20 % awkward.len()].clone(),
        _ => written,
    };
    guess(Format::Syslog, "syslog, usual", |i| {
        usual(i, syslog_line(i, &clock(i * 7 / 5)), &awkward[0])
    });
    guess(Format::Access, "access, usual", |i| {
        usual(i, access_line(i, &clock(i * 7 / 5)), &awkward[1])
    });
    guess(Format::Plain, "plain, not told so", |i| {
        format!("2026-03-01 12:30:{:02} [{}] {long}", i % 60, level(i))
    });

    measure("clean, 88 bytes", |i| format!("{i} {long}"), clean);
    measure("clean, coloured", |i| format!("\x1B[31m{i}\x1B[0m {long}"), clean);
    let mut fingerprinter = Fingerprinter::default();
    measure(
        "fingerprint, 88 bytes",
        |i| format!("{i} {long}"),
        |lines| {
            for line in lines {
                black_box(fingerprinter.first_line(line));
            }
        },
    );
}

/// What a line of a server's syslog looks like.
fn syslog_line(index: u32, clock: &str) -> String {
    let pid = 1_000 + index % 700;
    let said = match index % 5 {
        0 => format!("sshd[{pid}]: Accepted publickey for alice from 192.0.2.7 port 50022 ssh2"),
        1 => format!("systemd[1]: Started Session {index} of user alice."),
        2 => format!("CRON[{pid}]: (root) CMD (run-parts /etc/cron.hourly)"),
        3 => format!("kernel: [{index}.000000] eth0: link up, 1000 Mbps, full-duplex"),
        _ => format!("postfix/smtpd[{pid}]: warning: hostname x.example.com does not resolve"),
    };
    format!("Jan 31 {clock} web1 {said}")
}

/// What a line of an access log looks like.
fn access_line(index: u32, clock: &str) -> String {
    let client = index % 250;
    let (path, status, size) = match index % 4 {
        0 => ("/", 200, "5120"),
        1 => ("/static/app.js?v=17", 304, "-"),
        2 => ("/api/v1/orders/4711", 200, "812"),
        _ => ("/missing", 404, "196"),
    };
    format!(
        "192.0.2.{client} - - [31/Jan/2026:{clock} +0100] \"GET {path} HTTP/1.1\" {status} {size} \
         \"https://shop.example.com/\" \"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0\""
    )
}

fn parse(name: &str, line: impl Fn(u32) -> String) {
    parse_as(Format::Plain, name, line);
}

/// Reads lines as where the format is left to tripline, which has found it out.
fn guess(format: Format, name: &str, line: impl Fn(u32) -> String) {
    let parser = Parser::new(format, chrono_tz::Europe::Berlin, None).trying_others();
    parse_with(&parser, name, line);
}

/// The lines of a format's fixture that begin an entry.
fn heads(format: Format) -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/formats");
    let log = std::fs::read(format!("{folder}/{format}/input.log")).unwrap_or_default();
    let mut parser = Parser::new(format, chrono_tz::Europe::Berlin, None);
    let is_head = |line: &&[u8]| matches!(parser.line(line), Line::Head(_));
    let heads = joined(&log, format.joins()).filter(is_head);
    heads.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

fn parse_as(format: Format, name: &str, line: impl Fn(u32) -> String) {
    parse_with(&Parser::new(format, chrono_tz::Europe::Berlin, None), name, line);
}

fn parse_with(parser: &Parser, name: &str, line: impl Fn(u32) -> String) {
    measure(name, line, |lines| {
        let mut parser = parser.clone();
        for line in lines {
            if let Line::Head(head) = parser.line(black_box(line.as_bytes())) {
                black_box((head.logged_at, head.level));
            }
        }
    });
}

fn clean(lines: &[String]) {
    let mut out = String::new();
    for line in lines {
        out.clear();
        clean_into(black_box(line.as_bytes()), &mut out);
        black_box(&out);
    }
}

fn measure(name: &str, line: impl Fn(u32) -> String, mut work: impl FnMut(&[String])) {
    // Cargo adds `--bench`.
    if !std::env::args().skip(1).all(|word| word.starts_with('-') || name.contains(&word)) {
        return;
    }
    let lines: Vec<String> = (0..LINES).map(line).collect();
    let bytes: usize = lines.iter().map(String::len).sum();
    let best = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work(&lines);
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    let nanoseconds = best.as_secs_f64() * 1e9 / f64::from(LINES);
    let lines_per_second = 1e3 / nanoseconds;
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let bytes_per_line = bytes as f64 / f64::from(LINES);
    println!(
        "{name:28} {bytes_per_line:6.0} bytes {nanoseconds:7.1} ns/line {lines_per_second:6.1} M lines/s \
         {:6.0} MB/s",
        bytes_per_line * lines_per_second
    );
}
