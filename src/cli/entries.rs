//! What `tripline entries` is asked for.

use clap::Args;

use super::Json;

#[derive(Debug, Args)]
pub struct Entries {
    /// Only of these levels: TRACE, DEBUG, INFO, WARNING, ERROR, FATAL; several with commas
    #[arg(
        long = "level",
        value_name = "LEVEL",
        value_delimiter = ',',
        ignore_case = true,
        hide_possible_values = true,
        value_parser = ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "FATAL"]
    )]
    pub levels: Vec<String>,
    /// Only at or after TIME: 2026-01-01T12:00:00Z, or how long ago: 90s, 5m, 1h30m, 2d
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only before TIME
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only of the sources with this name, or path
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Only of logs that this host reads [default: of all hosts]
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Only with a message in which PostgreSQL finds this regular expression
    #[arg(long, value_name = "REGEX")]
    pub pattern: Option<String>,
    /// Only where the field KEY is VALUE, compared as text; dots reach into nested fields. Can be
    /// given several times
    #[arg(long = "where", value_name = "KEY=VALUE", value_parser = field)]
    pub fields: Vec<(String, String)>,
    /// The most frequent messages in place of the newest entries
    #[arg(long)]
    pub top: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    #[command(flatten)]
    pub output: Json,
}

/// What a field is to be.
fn field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it like user.id=17".to_owned()),
    }
}
