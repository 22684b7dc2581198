//! What the program says before it needs a database: help, versions, wrong use, wrong config.
//!
//! The cases are the files `tests/cmd/*.trycmd`; `TRYCMD=overwrite cargo test --test cli`
//! writes what the program says now. The environment hides the config, the state and the
//! database of whoever runs the test.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::CommandFactory;
use tripline::cli::Cli;

fn tripline<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tripline"));
    command.args(arguments);
    command
}

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
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let written = tripline(["man", "--write"]).arg(folder.path()).output().unwrap();
    assert!(written.status.success() && written.stdout.is_empty(), "{written:?}");
    let mut pages: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort_unstable();
    let mut expected: Vec<String> = commands("tripline", &Cli::command())
        .iter()
        .map(|(words, _)| format!("{}.1", words.replace(' ', "-")))
        .collect();
    expected.sort_unstable();
    assert_eq!(pages, expected);
    let root = fs::read_to_string(folder.path().join("tripline.1")).unwrap();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let (_, variables) = readme.split_once("\n## Environment variables\n").unwrap();
    let variables = variables.lines().take_while(|line| !line.starts_with('#'));
    let names: Vec<&str> = variables
        .filter_map(|line| line.strip_prefix("| `")?.split_once(" | "))
        .flat_map(|(names, _)| names.trim_end_matches('`').split("`, `"))
        .collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert!(root.contains(name), "the page of tripline does not know {name}");
    }
    for page in pages {
        let text = fs::read_to_string(folder.path().join(&page)).unwrap();
        for section in ["NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES"] {
            let heading = format!("\n.SH {section}\n");
            assert_eq!(text.matches(&heading).count(), 1, "{section} in {page}:\n{text}");
        }
        assert!(!text.contains("chunk"), "{page} shows an option for tests");
    }
}

#[test]
fn bash_completes_commands_and_options() {
    // What it offers for the last of these words.
    let offered = |words: &str| {
        let (_, last) = words.rsplit_once(' ').unwrap();
        let script = format!(
            "source <(\"$1\" completions bash); COMP_WORDS=({words})
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
             _tripline tripline {last} tripline; echo \"${{COMPREPLY[*]}}\""
        );
        let mut bash = Command::new("bash");
        bash.args(["-euc", &script, "bash", env!("CARGO_BIN_EXE_tripline")]);
        let output = bash.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    assert_eq!(offered("tripline al"), "alert alerts");
    assert_eq!(offered("tripline alerts sh"), "show");
    assert_eq!(offered("tripline alerts show --js"), "--json");
    assert_eq!(offered("tripline completions fi"), "fish");
}

#[test]
fn every_shell_gets_a_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = tripline(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("notifications"), "{shell}: {script}");
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
