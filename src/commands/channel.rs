//! `tripline channel`: list the channels of the config, try one.

use std::collections::BTreeMap;
use std::io::Write;

use super::message;
use super::session::{Session, UsageError};
use crate::cli::{ChannelCommand, Global, Json};
use crate::commands::SomeFailed;
use crate::config::{ChannelConfig, nearest};
use crate::model::{Severity, Tick};
use crate::notify::{self, Trial};
use crate::report;
use crate::report::channels::{ChannelTest, ListedChannel, Standing};
use crate::store::transaction::{Patience, transaction};

pub(super) fn run(
    global: &Global,
    command: &ChannelCommand,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let session = Session::new(global)?;
    match command {
        ChannelCommand::List(output) => list(&session, output, stdout),
        ChannelCommand::Test { name, output } => test(&session, name, output, tick, stdout),
    }
}

/// The channels stand in the config: without a database there is only less to say of them.
fn list(session: &Session, output: &Json, stdout: &mut dyn Write) -> anyhow::Result<()> {
    let standings = standings(session).unwrap_or_else(|error| {
        log::warn!("only what the config says: {}", message(&error));
        None
    });
    // One of which the database says nothing has nothing to deliver.
    let idle = Standing { waiting: standings.as_ref().map(|_| 0), ..Standing::default() };
    let standing = |name: &str| standings.as_ref().and_then(|known| known.get(name));
    let channels: Vec<_> = (session.config.channels.iter())
        .map(|channel| listed(channel, standing(&channel.name).unwrap_or(&idle).clone()))
        .collect();
    if output.json {
        report::write_json(&channels, stdout)?;
    } else if channels.is_empty() {
        writeln!(stdout, "no [[channel]] in the config: alerts go to standard output")?;
    } else {
        report::channels::write_table(&channels, stdout)?;
    }
    Ok(())
}

fn standings(session: &Session) -> anyhow::Result<Option<BTreeMap<String, Standing>>> {
    let Some(mut connection) = session.connect_to_what_is_there()? else { return Ok(None) };
    let standings = transaction(&mut connection, Patience::Long, |connection| {
        report::channels::standings(connection, &session.host)
    })?;
    Ok(Some(standings))
}

fn listed(channel: &ChannelConfig, standing: Standing) -> ListedChannel {
    let severities = channel.severities.as_ref();
    ListedChannel {
        name: channel.name.clone(),
        kind: channel.transport.as_str(),
        to: channel.transport.place(),
        severities: severities.map(|some| some.iter().copied().map(Severity::as_str).collect()),
        fallback: channel.fallback.as_ref().map(|fallback| fallback.channel.clone()),
        standing,
    }
}

fn test(
    session: &Session,
    name: &str,
    output: &Json,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let channel = find(&session.config.channels, name)?;
    // JSON has standard output for itself, also where that is the channel.
    let mut aside = Vec::new();
    let out: &mut dyn Write = if output.json { &mut aside } else { stdout };
    let trial = notify::try_channel(channel, &session.host, tick, out);
    let Trial { key, title, failure, answer, remark, took } = trial;
    let answer = answer.or_else(|| {
        let line = String::from_utf8_lossy(&aside).trim_end().to_owned();
        (!line.is_empty()).then_some(line)
    });
    let test = ChannelTest {
        channel: name.to_owned(),
        kind: channel.transport.as_str(),
        key,
        title,
        delivered: failure.is_none(),
        answer,
        remark,
        error: failure,
        seconds: (took.as_secs_f64() * 1000.0).round() / 1000.0,
    };
    if output.json {
        report::write_json(&test, stdout)?;
    } else if test.delivered {
        report::channels::write_test(&test, stdout)?;
    }
    for (failed, why) in [("does not deliver", &test.error), ("has delivered, but", &test.remark)] {
        if let Some(why) = why {
            log::error!("channel {name} {failed}: {why}");
            return Err(SomeFailed(1).into());
        }
    }
    Ok(())
}

/// The channel of the config that the command line names.
pub(super) fn find<'a>(
    channels: &'a [ChannelConfig],
    typed: &str,
) -> anyhow::Result<&'a ChannelConfig> {
    if let Some(channel) = channels.iter().find(|channel| channel.name == typed) {
        return Ok(channel);
    }
    let there_is_none = format!("there is no channel {typed:?} in the config");
    let near = nearest(typed, channels.iter().map(|channel| channel.name.as_str()));
    Err(UsageError(match near {
        Some(near) => format!("{there_is_none}; did you mean {near:?}?"),
        None => format!("{there_is_none}; see: tripline channel list"),
    })
    .into())
}
