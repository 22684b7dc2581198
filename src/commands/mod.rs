//! The subcommands, one file each. Only here do the stages know of each other.

mod alert;
mod alerts;
mod author;
mod channel;
mod clock;
mod completions;
mod confirm;
mod db;
mod detect;
mod entries;
mod heartbeat;
mod hide_url;
mod hint;
mod ingest;
mod init;
mod levels;
mod man;
mod metrics;
mod migrate;
mod notifications;
mod open_files;
mod progress;
mod replay;
mod rules;
mod run;
mod session;
mod silence;
mod source;
mod status;
mod stop;

use std::io::{self, Write};
use std::path::Path;

use clock::plausible;
pub use hide_url::hide_url;
pub use hint::hint;
pub use open_files::allow_many_files;

use crate::alerting::RuleError;
use crate::cli::{Cli, Command};
use crate::config::ConfigError;
use crate::lock::LockError;
use crate::model::Tick;
use crate::store::StoreError;

/// Something failed; each failure was told already.
#[derive(Debug, thiserror::Error)]
#[error("{0} failed")]
pub struct SomeFailed(pub usize);

/// The answer of a plugin, which was given already; with its exit code.
#[derive(Debug, thiserror::Error)]
#[error("exit code {0}")]
pub struct Verdict(u8);

/// Whether everything was said already.
pub fn is_told(error: &anyhow::Error) -> bool {
    error.is::<SomeFailed>() || error.is::<Verdict>()
}

/// Runs the command of a command line.
///
/// Commands that change something and can take long end well when the process is asked to; the
/// others just end.
///
/// # Errors
/// What failed, with its context; [`exit_code`] says what to exit with.
pub fn execute(cli: &Cli, tick: Tick) -> anyhow::Result<()> {
    let global = &cli.global;
    let mut stdout = io::stdout().lock();
    match &cli.command {
        Command::Run(arguments) => {
            run::run(global, arguments, plausible(tick, global)?, &stop::on_signal(), &mut stdout)
        }
        Command::Ingest(arguments) => {
            ingest::run(global, arguments, plausible(tick, global)?, &stop::on_signal())
        }
        Command::Alert(arguments) => {
            alert::run(global, arguments, plausible(tick, global)?, &stop::on_signal(), &mut stdout)
        }
        Command::Migrate => migrate::run(global, &mut stdout),
        Command::Status(arguments) => status::run(global, arguments, tick, &mut stdout),
        Command::Alerts(arguments) => alerts::run(global, arguments, tick, &mut stdout),
        Command::Silence(arguments) => silence::run(global, &arguments.command, tick, &mut stdout),
        Command::Notifications(arguments) => {
            notifications::run(global, arguments, tick, &mut stdout)
        }
        Command::Entries(arguments) => entries::run(global, arguments, tick, &mut stdout),
        Command::Rules(arguments) => rules::run(global, &arguments.command, tick, &mut stdout),
        Command::Channel(arguments) => channel::run(global, &arguments.command, tick, &mut stdout),
        Command::Source(arguments) => {
            source::run(global, &arguments.command, &stop::on_signal(), &mut stdout)
        }
        Command::Detect(arguments) => detect::run(global, arguments, &mut stdout),
        Command::Init(arguments) => init::run(global, arguments, tick, &mut stdout),
        Command::Levels(arguments) => levels::run(arguments, &mut stdout),
        Command::Replay(arguments) => replay::run(global, arguments, tick, &mut stdout),
        Command::Db(arguments) => db::run(global, &arguments.command, &mut stdout),
        Command::Completions(arguments) => completions::run(arguments, &mut stdout),
        Command::Man(arguments) => man::run(arguments, &mut stdout),
    }?;
    stdout.flush()?;
    Ok(())
}

/// The exit code for an error: 2 for usage and configuration, 75 (`EX_TEMPFAIL` of
/// sysexits.h) when another run holds the lock, else 1.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(Verdict(code)) = error.downcast_ref() {
        *code
    } else if is_busy(error) {
        75
    } else if error.is::<ConfigError>()
        || error.is::<session::UsageError>()
        || matches!(error.downcast_ref(), Some(RuleError::Pattern { .. }))
    {
        2
    } else {
        1
    }
}

/// Whether another run does the work: nothing to tell anybody.
pub fn is_busy(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(LockError::Held(_)))
        || matches!(error.downcast_ref(), Some(StoreError::Overtaken))
}

/// What failed and why, on one line: the error and its causes, but for a cause that the text
/// before it cites already.
pub fn message(error: &anyhow::Error) -> String {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !words(&message).contains(&words(&cause)) {
            message = format!("{message}: {cause}");
        }
    }
    message
}

/// Whether the reader of standard output went away (`tripline alerts | head`): no failure.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

fn display(path: &Path) -> String {
    crate::visible::line(&path.to_string_lossy(), 4096)
}

/// A path as one word of a command that a message proposes.
fn shell_word(path: &str) -> String {
    let path = crate::visible::line(path, 4096);
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        for (path, word) in [
            ("/var/log/app.log", "/var/log/app.log"),
            ("/srv/my log", "'/srv/my log'"),
            ("/srv/it's $HOME", r"'/srv/it'\''s $HOME'"),
        ] {
            assert_eq!(shell_word(path), word);
        }
    }
}
