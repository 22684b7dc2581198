//! Arguments of `tripline completions` and `tripline man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub struct Manual {
    /// The words of a command, such as: alerts show [default: tripline as a whole]
    #[arg(value_name = "COMMAND", conflicts_with = "write")]
    pub command: Vec<String>,
    /// Write the pages of all commands into FOLDER
    #[arg(long, value_name = "FOLDER")]
    pub write: Option<PathBuf>,
}
