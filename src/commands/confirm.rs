//! Asking before something is deleted.

use std::io::{self, BufRead, IsTerminal, Write};

use super::session::UsageError;

/// Whether to go on: asked on a terminal, and elsewhere only by `--yes`.
///
/// The question goes to standard error, where it is seen when the output goes to a file.
///
/// # Errors
/// A usage error where nobody can be asked.
pub(super) fn is_confirmed(yes: bool, question: &str) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(UsageError(format!("{question}; repeat the command with --yes")).into());
    }
    Ok(ask(question, &mut stdin.lock(), &mut io::stderr())?)
}

/// Everything but a yes is a no.
fn ask(question: &str, answers: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<bool> {
    write!(out, "{question}. Go on? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, expected) in
            [("y\n", true), (" Yes \n", true), ("\n", false), ("", false), ("yn\n", false)]
        {
            let mut out = Vec::new();
            assert_eq!(ask("this deletes it", &mut answer.as_bytes(), &mut out).unwrap(), expected);
            assert_eq!(String::from_utf8(out).unwrap(), "this deletes it. Go on? [y/N] ");
        }
    }
}
