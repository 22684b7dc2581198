//! What a line costs to parse, in nanoseconds: `cargo bench --bench parse`.
//!
//! Plain timing, the best of several rounds: what the machine does besides only ever adds.

#![expect(clippy::print_stdout, reason = "printing is what a benchmark is for")]

use std::hint::black_box;
use std::time::Instant;

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

fn parse(name: &str, line: impl Fn(u32) -> String) {
    parse_as(Format::Plain, name, line);
}

fn parse_as(format: Format, name: &str, line: impl Fn(u32) -> String) {
    measure(name, line, |lines| {
        let mut parser = Parser::new(format, chrono_tz::Europe::Berlin, None);
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
    println!("{name:28} {:4} bytes {nanoseconds:7.1} ns/line", bytes / LINES as usize);
}
