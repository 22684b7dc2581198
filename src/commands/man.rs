//! `tripline man`: the manual pages, made of what `--help` says.
//!
//! The sections and their order are those of man-pages(7).

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::session::UsageError;
use crate::cli::{Cli, Manual};

/// Variables of the environment, as the page of the whole program tells them.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("TRIPLINE_CONFIG", "The config."),
    ("TRIPLINE_DATABASE_URL, DATABASE_URL", "The database, in this order."),
    ("TRIPLINE_PG_BIN", "Folder of the programs for the private PostgreSQL."),
    ("TRIPLINE_STATE_DIR", "Folder for the private PostgreSQL and the locks, an absolute path."),
    ("RUST_LOG", "What is logged to standard error, instead of -v and -q: tripline=debug."),
    ("TZ", "The zone of this host, by its IANA name."),
    ("NO_COLOR", "Set to anything: no colours."),
];

/// Files, for the same page.
const FILES: [(&str, &str); 4] = [
    ("~/.config/tripline/tripline.toml", "The config of a user ($XDG_CONFIG_HOME is heeded)."),
    ("/etc/tripline/tripline.toml", "The config of the host."),
    ("~/.local/state/tripline", "The locks and the private PostgreSQL of a user."),
    ("/var/lib/tripline", "The same of root."),
];

pub(super) fn run(arguments: &Manual, stdout: &mut dyn Write) -> anyhow::Result<()> {
    // There are no pages of the commands named help.
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    match &arguments.write {
        Some(folder) => write_all(&program, folder),
        None => Ok(write_page(find(&program, &arguments.command)?, stdout)?),
    }
}

/// The command of these words.
fn find<'c>(program: &'c Command, words: &[String]) -> Result<&'c Command, UsageError> {
    words.iter().try_fold(program, |command, word| {
        command.find_subcommand(word).ok_or_else(|| {
            let all: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
            UsageError(match all.as_slice() {
                [] => format!("{name} has no commands of its own"),
                all => format!("{name} has no command {word:?}, but: {}", all.join(", ")),
            })
        })
    })
}

fn write_all(command: &Command, folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(Man::new(command.clone()).get_filename());
    let mut page = Vec::new();
    write_page(command, &mut page)?;
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    command.get_subcommands().try_for_each(|subcommand| write_all(subcommand, folder))
}

/// The page of one command in roff, the language of man(7).
fn write_page(command: &Command, page: &mut dyn Write) -> io::Result<()> {
    // What stands below the help has sections of its own here.
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let is_whole = command.get_name() == "tripline";
    let man = Man::new(command.clone().after_help(None::<&str>))
        .source(concat!("tripline ", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    let mut roff = Roff::new();
    description(&mut roff, &help);
    roff.to_writer(page)?;
    if command.get_subcommands().next().is_some() {
        man.render_subcommands_section(page)?;
    }
    man.render_options_section(page)?;
    let mut roff = Roff::new();
    if is_whole {
        list(&mut roff, "ENVIRONMENT", &ENVIRONMENT);
        list(&mut roff, "FILES", &FILES);
    }
    examples(&mut roff, &help);
    roff.to_writer(page)
}

/// The example lines of a help are all that are indented.
fn examples(roff: &mut Roff, help: &str) {
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in help.lines().filter_map(|line| line.strip_prefix("  ")) {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}

/// Its other paragraphs say what the command does.
fn description(roff: &mut Roff, help: &str) {
    let mut paragraphs = help
        .split("\n\n")
        .filter(|paragraph| !paragraph.starts_with("Examples:") && !paragraph.is_empty())
        .peekable();
    if paragraphs.peek().is_some() {
        roff.control("SH", ["DESCRIPTION"]);
    }
    for paragraph in paragraphs {
        roff.control("PP", []);
        for line in paragraph.lines() {
            roff.text([roman(line)]);
        }
    }
}

fn list(roff: &mut Roff, title: &str, items: &[(&str, &str)]) {
    roff.control("SH", [title]);
    for (term, text) in items {
        roff.control("TP", []).text([bold(*term)]).text([roman(*text)]);
    }
}
