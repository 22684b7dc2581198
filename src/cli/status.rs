//! What `tripline status` is asked for.

use clap::Args;

use super::Json;

#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub output: Json,
    /// Answer as a plugin of Nagios, with its exit codes
    #[arg(long, conflicts_with = "json")]
    pub nagios: bool,
    /// How old the last run of this host may be
    #[arg(long, value_name = "LENGTH", default_value = "10m", requires = "nagios")]
    pub stale_after: String,
}
