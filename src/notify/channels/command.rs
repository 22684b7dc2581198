//! A program of the user's, without a shell.
//!
//! Standard input: one JSON object, the [`Message`]. Environment: `TRIPLINE_KEY`,
//! `TRIPLINE_TITLE`, `TRIPLINE_KIND`, `TRIPLINE_STATUS`, `TRIPLINE_SEVERITY`, `TRIPLINE_RULE`,
//! `TRIPLINE_ALERT`. An exit code other than 0 means: try again later.

use std::process;
use std::time::Duration;

use crate::notify::child;
use crate::notify::content::Message;
use crate::notify::failure::Failure;
use crate::notify::send::Channel;

/// A program with its arguments.
#[derive(Debug)]
pub(super) struct Command {
    words: Vec<String>,
    /// Variables that it does not get.
    withheld: Vec<String>,
}

impl Command {
    pub(super) fn new(words: &[String], withheld: &[String]) -> Self {
        Self { words: words.to_vec(), withheld: withheld.to_vec() }
    }
}

impl Channel for Command {
    fn preview(&self, message: &Message) -> Option<String> {
        serde_json::to_string_pretty(message).ok()
    }

    fn send(&self, message: &Message, patience: Duration) -> Result<Option<String>, Failure> {
        let Some((program, arguments)) = self.words.split_first() else {
            return Err(Failure::of_channel("the config names no program"));
        };
        let mut command = process::Command::new(program);
        command.args(arguments);
        command.env("TRIPLINE_KEY", &message.key).env("TRIPLINE_TITLE", &message.title);
        if let Some(first) = message.notifications.first() {
            command
                .env("TRIPLINE_KIND", &first.kind)
                .env("TRIPLINE_STATUS", first.status)
                .env("TRIPLINE_SEVERITY", &first.severity)
                .env("TRIPLINE_RULE", &first.rule)
                .env("TRIPLINE_ALERT", first.alert_id.to_string());
        }
        let json = serde_json::to_vec(message)
            .map_err(|error| Failure::of_message(&format!("cannot be written as JSON: {error}")))?;
        child::run(command, &self.withheld, json, patience)?;
        Ok(None)
    }
}
