//! The system's own program that takes mails: `PROGRAM -i -f SENDER -- RECIPIENT...`.
//!
//! `-i`: a line with only a dot does not end the mail. What follows `--` is never an option.

use std::path::Path;
use std::process::Command;

use lettre::Address;

pub(super) fn command(program: &Path, from: &Address, to: &[Address]) -> Command {
    let mut command = Command::new(program);
    command.args(["-i", "-f"]).arg::<&str>(from.as_ref()).arg("--");
    command.args(to.iter().map(|one| -> &str { one.as_ref() }));
    command
}

/// The lines of a mail end as those of any other text here; the program makes CR LF of it.
pub(super) fn input(mail: &[u8]) -> Vec<u8> {
    (String::from_utf8_lossy(mail).replace("\r\n", "\n") + "\n").into_bytes()
}
