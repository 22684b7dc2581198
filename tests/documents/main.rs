//! The README is true: its commands print what it shows, its configs are configs.
//!
//! Every ```` ```console ```` block is run, one after the other, in a folder that stands for
//! the home of a new user, with a private PostgreSQL of its own; every ```` ```toml ```` block
//! is read as a config. One that begins with a comment which is a path is written there first;
//! a `case.toml` is read by the replay that the README runs. Blocks of other languages are not
//! run. Compared without regard to the
//! width of columns, since this host's name and the folder are not those in the text.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use tripline::cluster::{Cluster, Durability};
use tripline::config::Config;

/// What the README writes for the folder of its user and for the name of the host.
const HOME: &str = "/home/ann";
const HOST: &str = "web1";

/// Where in that folder the private PostgreSQL lies.
const STATE: &str = ".local/state/tripline";

/// A fenced block: its language, the number of its first line, its text.
struct Block {
    language: String,
    line: usize,
    text: String,
}

fn blocks() -> Vec<Block> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(readme.unwrap().lines()) {
        match (line.strip_prefix("```"), inside) {
            (Some(language), false) => {
                blocks.push(Block {
                    language: language.to_owned(),
                    line: number + 1,
                    text: String::new(),
                });
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => blocks.last_mut().unwrap().text.extend([line, "\n"]),
            (None, false) => {}
        }
    }
    assert!(!inside, "a block of the README has no end");
    blocks
}

/// The path that a block of a file names in its first line.
fn path(block: &Block) -> Option<&Path> {
    let path = Path::new(block.text.lines().next()?.strip_prefix("# ")?);
    path.extension().is_some_and(|extension| extension == "toml").then_some(path)
}

/// The blocks of a language; there is one at least.
fn blocks_in(language: &str) -> Vec<Block> {
    let blocks: Vec<_> = blocks().into_iter().filter(|block| block.language == language).collect();
    assert!(!blocks.is_empty(), "the README has no block in {language}");
    blocks
}

/// The commands of a console block, each with the output that is shown under it.
fn commands(block: &Block) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in block.text.lines() {
        match (line.strip_prefix("$ "), line.strip_prefix("> "), commands.last_mut()) {
            (Some(command), _, _) => commands.push((command.to_owned(), String::new())),
            (None, Some(more), Some((command, _))) => command.extend(["\n", more]),
            (None, None, Some((_, output))) => output.extend([line, "\n"]),
            (None, _, None) => panic!("README.md:{}: begins without a command", block.line),
        }
    }
    commands
}

/// The home of a new user, with a private PostgreSQL that ends with this value.
struct User {
    home: TempDir,
}

impl User {
    fn new() -> Self {
        // Open to the user who runs the server, who is not root even if we are.
        let open = Permissions::from_mode(0o755);
        let home = tempfile::Builder::new()
            .prefix("tripline-readme-")
            .permissions(open)
            .tempdir()
            .unwrap();
        // The first command would set it up too, but durably, which takes several times as long.
        let state = home.path().join(STATE);
        Cluster::new(state, Durability::ThrowAway).ensure_running().unwrap();
        let user = Self { home };
        fs::write(user.home.path().join("nothing.toml"), "").unwrap();
        user
    }

    fn shell(&self, command: &str) -> Command {
        let home = self.home.path();
        let programs = Path::new(env!("CARGO_BIN_EXE_tripline")).parent().unwrap();
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .current_dir(home)
            .env_clear()
            .env("HOME", home)
            .env("LC_ALL", "C")
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display()))
            // Root's would be shared with the machine.
            .env("TRIPLINE_STATE_DIR", home.join(STATE))
            .env("TRIPLINE_CONFIG", home.join("nothing.toml"))
            .env("TZ", "UTC");
        for variable in ["TRIPLINE_PG_BIN", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(variable) {
                shell.env(variable, value);
            }
        }
        shell
    }

    /// What a command prints, with the names of the README in place of this host's.
    fn run(&self, command: &str) -> String {
        let output = self.shell(command).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let words = |line: &str| {
            let words: Vec<_> =
                line.split(' ').map(|word| if word == host { HOST } else { word }).collect();
            words.join(" ")
        };
        let printed = printed.replace(self.home.path().to_str().unwrap(), HOME);
        printed.lines().map(|line| words(line) + "\n").collect()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // The folder goes next, and the server with it, if this fails.
        let _ = self.shell("tripline db stop").output();
    }
}

/// Without the width of columns, and without the time that a run took.
fn comparable(output: &str) -> String {
    let lines = output.lines().map(|line| {
        let mut words: Vec<_> = line.split_whitespace().collect();
        if let Some(unit) = words.iter().position(|word| *word == "ms,")
            && unit > 0
        {
            words[unit - 1] = "N";
        }
        // The line under the heads of psql's tables.
        if line.contains("--+--") { "--+--".to_owned() } else { words.join(" ") }
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[test]
fn commands_print_what_is_shown() {
    let user = User::new();
    for block in blocks_in("toml") {
        if let Some(path) = path(&block) {
            let path = user.home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &block.text).unwrap();
        }
    }
    let mut compared = 0;
    for block in blocks_in("console") {
        for (command, shown) in commands(&block) {
            let printed = user.run(&command);
            assert!(
                comparable(&printed) == comparable(&shown),
                "README.md, block at line {}:\n$ {command}\nshown:\n{shown}\nprinted:\n{printed}",
                block.line
            );
            compared += usize::from(!shown.trim().is_empty());
        }
    }
    assert!(compared > 3, "only {compared} outputs were compared");
}

#[test]
fn configs_are_right() {
    let is_config = |block: &Block| path(block).is_none_or(|path| !path.ends_with("case.toml"));
    for block in blocks_in("toml").into_iter().filter(is_config) {
        if let Err(error) = Config::parse(Path::new("tripline.toml"), block.text.as_bytes()) {
            panic!("README.md, block at line {}:\n{error}", block.line);
        }
    }
}

#[test]
fn blocks_are_of_known_languages() {
    for Block { language, line, .. } in blocks() {
        let known = ["console", "cron", "sh", "text", "toml"];
        assert!(known.contains(&language.as_str()), "README.md:{line}: {language:?}");
    }
}
