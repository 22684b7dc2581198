//! The system's own program that takes mails: `PROGRAM -i -f SENDER -- RECIPIENT...`.
//!
//! `-i`: a line with only a dot does not end the mail. What follows `--` is never an option.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lettre::Address;

use crate::notify::child;
use crate::notify::failure::Failure;

pub(super) fn send(
    program: &Path,
    from: &Address,
    to: &[Address],
    mail: &[u8],
    patience: Duration,
) -> Result<(), Failure> {
    let mut command = Command::new(program);
    command.args(["-i", "-f"]).arg::<&str>(from.as_ref()).arg("--");
    command.args(to.iter().map(|one| -> &str { one.as_ref() }));
    // The lines of a mail end as those of any other text here; the program makes CR LF of it.
    let lines = String::from_utf8_lossy(mail).replace("\r\n", "\n") + "\n";
    child::run(command, lines.into_bytes(), patience)
}
