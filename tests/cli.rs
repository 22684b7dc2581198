//! What the program says before it needs a database: help, versions, wrong use, wrong config.
//!
//! The cases are the files `tests/cmd/*.trycmd`; `TRYCMD=overwrite cargo test --test cli`
//! writes what the program says now. The environment hides the config, the state and the
//! database of whoever runs the test.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use tripline::cli::Cli;

/// A command and all its subcommands, each with the words that name it.
fn commands(words: &str, command: &clap::Command) -> Vec<(String, clap::Command)> {
    let mut found = vec![(words.to_owned(), command.clone())];
    for subcommand in command.get_subcommands().filter(|command| command.get_name() != "help") {
        found.extend(commands(&format!("{words} {}", subcommand.get_name()), subcommand));
    }
    found
}

#[test]
fn every_command_has_a_help_with_examples_and_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let cases: String = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "trycmd"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for (words, command) in commands("tripline", &Cli::command()) {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples = after.lines().skip_while(|line| *line != "Examples:").skip(1);
        let first_word = words.split(' ').nth(1).unwrap_or("run");
        assert!(
            examples.take_while(|line| !line.is_empty()).any(|line| line.contains(first_word)),
            "{words} has no example"
        );
        assert!(cases.contains(&format!("$ {words} --help\n")), "no case shows {words} --help");
    }
}

#[test]
fn what_the_command_line_says() {
    let cases = trycmd::TestCases::new();
    for (variable, value) in [
        ("COLUMNS", "100"),
        ("DATABASE_URL", ""),
        ("HOME", "/nonexistent"),
        ("LC_ALL", "C"),
        ("NO_COLOR", "1"),
        ("RUST_BACKTRACE", "0"),
        ("RUST_LOG", "warn"),
        ("TRIPLINE_CONFIG", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cmd/config.in/empty.toml")),
        ("TRIPLINE_DATABASE_URL", ""),
        ("TRIPLINE_STATE_DIR", "/nonexistent/state"),
        ("XDG_CONFIG_HOME", "/nonexistent"),
        ("XDG_STATE_HOME", "/nonexistent"),
    ] {
        cases.env(variable, value);
    }
    cases.case("tests/cmd/*.trycmd");
}
