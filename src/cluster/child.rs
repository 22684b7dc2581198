//! Running a program to its end and keeping the last of what it said.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::ClusterError;

/// As much of a failed program's output as a message should carry.
const KEPT_LINES: usize = 12;

/// How a program ended.
pub(super) struct Finished {
    /// The program's name, without its folder.
    pub(super) program: String,
    /// Whether it reported success.
    pub(super) success: bool,
    /// The last lines that it printed, whichever way.
    pub(super) output: String,
}

/// Runs the command with `input` on its standard input and waits for it to end.
///
/// # Errors
/// [`ClusterError::Spawn`] if it could not be started or watched. A program that ends with a
/// failure is no error here, since only the caller knows what was attempted.
pub(super) fn run(mut command: Command, input: &str) -> Result<Finished, ClusterError> {
    let program = Path::new(command.get_program()).to_path_buf();
    let folder = command.get_current_dir().unwrap_or(Path::new(".")).to_path_buf();
    let failed =
        |source| ClusterError::Spawn { program: program.clone(), folder: folder.clone(), source };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input.as_bytes()) {
            // A program that ended without reading says why on its standard error.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(failed(error)),
            _ => {}
        }
    }
    let output = child.wait_with_output().map_err(failed)?;
    let printed = [output.stdout, output.stderr].concat();
    Ok(Finished {
        program: program.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        success: output.status.success(),
        output: last_lines(&String::from_utf8_lossy(&printed)),
    })
}

impl Finished {
    /// Turns a failure of the program into an error that says what was attempted on what.
    pub(super) fn or_failed_to(
        self,
        action: &'static str,
        path: &Path,
    ) -> Result<(), ClusterError> {
        if self.success {
            return Ok(());
        }
        Err(ClusterError::Program {
            action,
            path: path.to_path_buf(),
            program: self.program,
            advice: advice_for(&self.output),
            output: self.output,
        })
    }
}

/// The last lines of a text, without blank ones.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(KEPT_LINES)..].join("\n")
}

/// Whether a program or a server says that a file cannot grow.
pub fn tells_of_a_full_disk(text: &str) -> bool {
    ["No space left on device", "Disk quota exceeded", "File too large"]
        .iter()
        .any(|words| text.contains(words))
}

/// What to do about the failures that have one well-known cause.
pub(super) fn advice_for(output: &str) -> &'static str {
    if tells_of_a_full_disk(output) {
        "; free some space on that disk"
    } else if output.contains("Permission denied") {
        "; every folder above it must be open to the user who runs the server"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_end_of_a_long_output() {
        let text = format!("first\n{}\nlast\n", "line\n\n".repeat(40));
        let kept = last_lines(&text);
        assert_eq!(kept.lines().count(), KEPT_LINES);
        assert!(kept.ends_with("line\nlast"), "{kept}");
        assert_eq!(last_lines(""), "");
    }

    #[test]
    fn a_failure_says_what_was_attempted_and_what_to_do() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo 'initdb: error: No space left on device' >&2; exit 1"]);
        let error = run(command, "ignored")
            .and_then(|finished| finished.or_failed_to("set up", Path::new("/base")))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot set up /base: sh failed; free some space on that disk; it said:\n\
             initdb: error: No space left on device"
        );
    }
}
