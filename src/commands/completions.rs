//! `tripline completions`: what a shell needs to complete the words of a command line.

use std::io::Write;

use clap::CommandFactory;

use crate::cli::{Cli, Completions};

pub(super) fn run(arguments: &Completions, stdout: &mut dyn Write) -> anyhow::Result<()> {
    // Its own writer would panic when the reader has gone.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "tripline", &mut script);
    stdout.write_all(&script)?;
    Ok(())
}
