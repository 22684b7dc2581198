//! A mail, by a server (RFC 5321) or by the system's own program.
//!
//! All recipients are told in one mail. One that the server refuses costs the others nothing:
//! they get it, and the refusal is noted beside the notification, which is not sent again.

mod connection;
mod html;
mod mail;
mod sendmail;
mod smtp;

use std::sync::Mutex;
use std::time::Duration;

use crate::config::{EmailConfig, Relay};
use crate::notify::child;
use crate::notify::content::Message;
use crate::notify::failure::Failure;
use crate::notify::send::Channel;

/// Mails to some people.
#[derive(Debug)]
pub(super) struct Email {
    config: EmailConfig,
    /// Variables that a program does not get.
    withheld: Vec<String>,
    /// What the server said when it took the last mail.
    answer: Mutex<Option<String>>,
}

impl Email {
    pub(super) fn new(config: &EmailConfig, withheld: &[String]) -> Self {
        let (config, withheld) = (config.clone(), withheld.to_vec());
        Self { config, withheld, answer: Mutex::new(None) }
    }
}

impl Channel for Email {
    fn send(&self, message: &Message, patience: Duration) -> Result<Option<String>, Failure> {
        let EmailConfig { from, to, relay } = &self.config;
        let mail = mail::mail(from, to, message)?;
        let recipients: Vec<_> = to.iter().map(|one| one.email.clone()).collect();
        match relay {
            Relay::Sendmail(program) => {
                let command = sendmail::command(program, &from.email, &recipients);
                child::run(command, &self.withheld, sendmail::input(&mail), patience)?;
                Ok(None)
            }
            Relay::Smtp(server) => {
                let taken = smtp::send(server, &from.email, &recipients, &mail, patience)?;
                if let Ok(mut answer) = self.answer.lock() {
                    *answer = Some(taken.answer);
                }
                Ok(taken.remark)
            }
        }
    }

    fn answer(&self) -> Option<String> {
        self.answer.lock().ok()?.clone()
    }
}

#[cfg(test)]
mod tests;
