//! `tripline rules render`

use std::io::Write;

use super::super::channel;
use crate::cli::Json;
use crate::commands::session::Session;
use crate::config::RuleConfig;
use crate::model::Tick;
use crate::notify::{self, Rendered};
use crate::report;
use crate::report::rules::RenderedMessage;
use crate::store::transaction::{Patience, transaction};

pub(super) fn run(
    session: &Session,
    rule: &RuleConfig,
    channel: Option<&str>,
    tick: Tick,
    output: &Json,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let channel = channel.map(|name| channel::find(&session.config.channels, name)).transpose()?;
    let host = &session.host;
    let rendered = match session.connect_to_what_is_there()? {
        Some(mut connection) => transaction(&mut connection, Patience::Long, |connection| {
            notify::render(Some(connection), rule, channel, host, tick)
        })?,
        None => notify::render(None, rule, channel, host, tick)?,
    };
    let Rendered { alert, title, text, line, body } = rendered;
    let message = RenderedMessage {
        rule: rule.name.clone(),
        channel: channel.map(|channel| channel.name.clone()),
        alert,
        title,
        text,
        line,
        body,
    };
    if output.json {
        report::write_json(&message, stdout)?;
    } else {
        report::rules::write_rendered(&message, stdout)?;
    }
    Ok(())
}
