//! The user of the documents: a home of her own, and a private PostgreSQL in it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use tripline::cluster::{Cluster, Durability};

use crate::block::{Block, HOME, HOST};

/// Where in the home the private PostgreSQL lies.
pub(crate) const STATE: &str = ".local/state/tripline";

/// A user whose home and private PostgreSQL end with this value.
pub(crate) struct User {
    pub(crate) home: TempDir,
    /// What the shell knows besides the usual variables.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// What commands name and tests must name otherwise.
    pub(crate) replaced: Vec<(&'static str, String)>,
}

impl User {
    /// With a private PostgreSQL that runs.
    pub(crate) fn new() -> Self {
        // Open to the user who runs the server, who is not root even if we are.
        let open = Permissions::from_mode(0o755);
        let home = tempfile::Builder::new()
            .prefix("tripline-documents-")
            .permissions(open)
            .tempdir()
            .unwrap();
        let user = Self { home, variables: Vec::new(), replaced: Vec::new() };
        user.set_up();
        user
    }

    /// Sets up the private PostgreSQL. The first command would do it too, but durably, which
    /// takes several times as long.
    pub(crate) fn set_up(&self) {
        Cluster::new(self.path(STATE), Durability::ThrowAway).ensure_running().unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    /// Writes the files that a document shows.
    pub(crate) fn write_files(&self, blocks: &[Block]) {
        for block in blocks.iter().filter(|block| block.language == "toml") {
            if let Some(path) = block.path() {
                let path = self.home.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let text = block.text.replace(HOME, self.home.path().to_str().unwrap());
                fs::write(path, text).unwrap();
            }
        }
    }

    /// Runs the commands of these blocks; each must print what is shown. Returns how many
    /// outputs were compared.
    pub(crate) fn follow<'a>(&self, blocks: impl IntoIterator<Item = &'a Block>) -> usize {
        let mut compared = 0;
        for block in blocks.into_iter().filter(|block| block.language == "console") {
            for (command, shown) in block.commands() {
                let printed = self.run(&command);
                assert!(
                    comparable(&printed) == comparable(&shown),
                    "{}:\n$ {command}\nshown:\n{shown}\nprinted:\n{printed}",
                    block.place()
                );
                compared += usize::from(!shown.trim().is_empty());
            }
        }
        compared
    }

    /// What a command prints, with the names of the documents in place of this host's.
    pub(crate) fn run(&self, command: &str) -> String {
        let mut command = command.to_owned();
        for (name, other) in &self.replaced {
            command = command.replace(name, other);
        }
        let output = self.shell(&command).output().unwrap();
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

    fn shell(&self, command: &str) -> Command {
        let home = self.home.path();
        let programs = Path::new(env!("CARGO_BIN_EXE_tripline")).parent().unwrap();
        let postgres = std::env::var("TRIPLINE_PG_BIN").unwrap_or_default();
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .current_dir(home)
            .env_clear()
            .env("HOME", home)
            .env("LC_ALL", "C")
            .env("PATH", format!("{}:{postgres}:/usr/local/bin:/usr/bin:/bin", programs.display()))
            // Root's would be shared with the machine.
            .env("TRIPLINE_STATE_DIR", home.join(STATE))
            .env("TZ", "UTC")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        // A machine's own config is not the user's.
        if !home.join(".config/tripline/tripline.toml").exists() {
            fs::write(home.join("nothing.toml"), "").unwrap();
            shell.env("TRIPLINE_CONFIG", home.join("nothing.toml"));
        }
        for variable in ["TRIPLINE_PG_BIN", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(variable) {
                shell.env(variable, value);
            }
        }
        shell
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
