//! What `alerts show` says is behind an alert: counts, entries, and the lines around them from
//! their file, wherever it is by now.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::fs;
use std::io::Write;

use expect_test::{Expect, expect};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use support::program::Setup;

const LOG: &str = "2026-01-15 11:58:00 [INFO] started
2026-01-15 11:58:10 [INFO] job 7 begins
2026-01-15 11:58:20 [INFO] opens \x1b[31mthe file
2026-01-15 11:58:30 [ERROR] job 7 failed: no space
  at line 1
  at line 2
2026-01-15 11:58:40 [ERROR] job 8 failed: no space
2026-01-15 11:58:50 [FATAL] giving up
";

fn setup() -> Setup {
    let setup = Setup::new();
    setup.config(
        "host = 'web1'\n[[source]]\nname = 'app'\npaths = ['LOGS/app.log']\nolddir = ['LOGS/old']\n\
         [[rule]]\nname = 'any'\nkind = 'threshold'\ncount = 3\nwithin = '5m'\n",
    );
    setup.write("app.log", LOG);
    setup.run(["run"]);
    setup
}

fn check(setup: &Setup, expected: &Expect) {
    let ran = setup.run(["alerts", "show", "1"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    expected.assert_eq(&ran.stdout.replace(&setup.folder.path().display().to_string(), "LOGS"));
}

#[test]
fn the_lines_around_an_entry_are_shown_with_it() {
    let setup = setup();
    check(
        &setup,
        &expect![[r#"
        alert 1: warning any, firing
        source     app on web1
        started    2026-01-15 11:58:50Z
        measured   3 in one window (threshold 3)
        entries    3 from 2026-01-15 11:58:30Z to 2026-01-15 11:58:50Z
               2 × job 8 failed: no space
               1 × giving up
          2026-01-15 11:58:30Z ERROR job 7 failed: no space
            LOGS/app.log at byte 122
              2026-01-15 11:58:10 [INFO] job 7 begins
              2026-01-15 11:58:20 [INFO] opens \u{1b}[31mthe file
            > 2026-01-15 11:58:30 [ERROR] job 7 failed: no space
                at line 1
                at line 2
              2026-01-15 11:58:40 [ERROR] job 8 failed: no space
              2026-01-15 11:58:50 [FATAL] giving up
          2026-01-15 11:58:40Z ERROR job 8 failed: no space
            LOGS/app.log at byte 197
                at line 1
                at line 2
            > 2026-01-15 11:58:40 [ERROR] job 8 failed: no space
              2026-01-15 11:58:50 [FATAL] giving up
          2026-01-15 11:58:50Z FATAL giving up
            LOGS/app.log at byte 248
                at line 2
              2026-01-15 11:58:40 [ERROR] job 8 failed: no space
            > 2026-01-15 11:58:50 [FATAL] giving up
        2026-01-15 12:00:00Z fired
        fired to stdout: delivered 2026-01-15 12:00:00Z
    "#]],
    );
    let json: Value =
        serde_json::from_str(&setup.run(["alerts", "show", "1", "--json"]).stdout).unwrap();
    assert_eq!(json["entries"], 3);
    assert_eq!(json["first_at"], "2026-01-15T11:58:30Z");
    assert_eq!(json["last_at"], "2026-01-15T11:58:50Z");
    assert_eq!(json["top"][0]["count"], 2);
    let context = &json["samples"][2]["context"];
    assert_eq!(context["before"][1], "2026-01-15 11:58:40 [ERROR] job 8 failed: no space");
    assert_eq!(context["from"][0], "2026-01-15 11:58:50 [FATAL] giving up");
}

/// Where the samples of the alert are found now.
fn places(setup: &Setup) -> Vec<String> {
    let json: Value =
        serde_json::from_str(&setup.run(["alerts", "show", "1", "--json"]).stdout).unwrap();
    let folder = format!("{}/", setup.folder.path().display());
    let samples = json["samples"].as_array().unwrap().iter();
    samples
        .map(|sample| match &sample["context"] {
            Value::Null => "gone".to_owned(),
            context => {
                let line = context["from"][0].as_str().unwrap();
                let message = sample["message"].as_str().unwrap().lines().next().unwrap();
                assert!(line.ends_with(message), "{line} is not {message}");
                context["path"].as_str().unwrap().replace(&folder, "")
            }
        })
        .collect()
}

#[test]
fn they_are_found_in_the_file_wherever_it_is_now() {
    let setup = setup();
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", "2026-01-15 12:00:00 [INFO] another file\n");
    assert_eq!(places(&setup), ["app.log.1"; 3]);

    // A run that notes where it is now changes nothing, nor do others that look like it.
    setup.run(["run"]);
    setup.write("app.log.2", LOG.replace("started", "stopped"));
    assert_eq!(places(&setup), ["app.log.1"; 3]);

    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(LOG.as_bytes()).unwrap();
    fs::create_dir(setup.path("old")).unwrap();
    setup.write("old/app.log.3.gz", packed.finish().unwrap());
    fs::remove_file(setup.path("app.log.1")).unwrap();
    assert_eq!(places(&setup), ["old/app.log.3.gz"; 3]);

    fs::remove_file(setup.path("old/app.log.3.gz")).unwrap();
    assert_eq!(places(&setup), ["gone"; 3]);
}

#[test]
fn lines_of_other_encodings_are_decoded() {
    let setup = Setup::new();
    setup.config(
        "host = 'web1'\n[[source]]\npaths = ['LOGS/app.log']\n\
         [[rule]]\nname = 'any'\nkind = 'threshold'\ncount = 3\nwithin = '5m'\n",
    );
    let wide: Vec<u8> =
        format!("\u{feff}{LOG}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    setup.write("app.log", wide);
    setup.run(["run"]);
    assert_eq!(places(&setup), ["app.log"; 3]);
}

#[test]
fn a_line_of_any_length_is_shown_as_far_as_it_fits() {
    let setup = Setup::new();
    setup.config(
        "host = 'web1'\n[[source]]\npaths = ['LOGS/app.log']\n\
         [[rule]]\nname = 'any'\nkind = 'threshold'\ncount = 1\nwithin = '5m'\n",
    );
    let long = "x".repeat(100_000);
    setup.write(
        "app.log",
        format!("2026-01-15 11:58:00 [INFO] {long}\n2026-01-15 11:58:01 [ERROR] {long}\n"),
    );
    setup.run(["run"]);
    let json: Value =
        serde_json::from_str(&setup.run(["alerts", "show", "1", "--json"]).stdout).unwrap();
    let context = &json["samples"][0]["context"];
    // The line before begins further away than anybody looks.
    assert_eq!(context["before"], Value::Array(vec![]));
    let line = context["from"][0].as_str().unwrap();
    assert!(line.starts_with("2026-01-15 11:58:01 [ERROR] xxx") && line.len() <= 20_000);
}
