//! A sign of life after each run: to somebody who notices when it does not come.
//!
//! The convention of <https://healthchecks.io/docs/http_api/>: a request to the URL says that all
//! went well, one to the URL with `/fail` that it did not.

use super::http::{self, Client, Post, TokenAs};
use crate::config::{HeartbeatConfig, HeartbeatMethod};

/// Sends one, with the exit code of the run.
///
/// # Errors
/// Why it has not arrived, without secrets.
pub fn beat(config: &HeartbeatConfig, exit_code: u8) -> Result<(), String> {
    let client = Client::new(&config.endpoint, TokenAs::Bearer);
    let try_beat = || {
        let attempt = client.attempt(config.timeout)?;
        let url = match exit_code {
            0 => attempt.url.clone(),
            _ => http::join(&attempt.url, "/fail"),
        };
        match config.method {
            HeartbeatMethod::Get => attempt.get(&url),
            HeartbeatMethod::Post => attempt.post(&Post {
                url: &url,
                key: "heartbeat",
                content_type: "text/plain",
                body: format!("exit code {exit_code}").as_bytes(),
            }),
        }
    };
    try_beat().map(|_| ()).map_err(|failure| failure.reason)
}
