//! Delivers what is due: each channel by itself, in a thread and on a connection of its own, so
//! that one that hangs costs the others nothing.
//!
//! A message is claimed, sent and noted in one transaction. Whoever is killed in between frees
//! the claim by that, and the message is sent again, with the same key.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;

use super::channels;
use super::content::{Message, Notification, Templates};
use super::failure::Failure;
use super::outbox::{self, Due};
use super::samples::Samples;
use super::send::{Channel, send_within};
use super::{backoff, fallback, message, refresh, state};
use crate::config::{ChannelConfig, DeliveryConfig, Transport};
use crate::model::{STDOUT, Tick};
use crate::store::StoreError;
use crate::store::transaction::{Patience, transaction};

/// Notifications that one message of a digest may hold.
const DIGEST_MOST: i64 = 500;
/// Alerts that one message tells of again.
const REFRESH_MOST: usize = 500;
/// Lines that are printed in one transaction.
const LINES_MOST: i64 = 10_000;

/// Who makes another connection to the database.
pub trait Connect: Sync {
    /// Another connection; what is wrong otherwise.
    ///
    /// # Errors
    /// Why there is none, for people.
    fn connect(&self) -> Result<PgConnection, String>;
}

/// What delivering needs.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// Whose notifications.
    pub host: &'a str,
    /// Where they can go.
    pub channels: &'a [ChannelConfig],
    /// For how long.
    pub config: &'a DeliveryConfig,
    /// The moment of the run.
    pub tick: Tick,
    /// Set by SIGTERM and SIGINT: nothing more is begun.
    pub stop: &'a AtomicBool,
    /// For the channels that have a connection of their own.
    pub connect: &'a dyn Connect,
}

/// A channel that could not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelFailure {
    /// Its name.
    pub channel: String,
    /// Why, on one line.
    pub reason: String,
    /// Whether people are to be told now, rather than within the hour.
    pub tell: bool,
    /// How many messages were given up for good.
    pub given_up: usize,
}

/// Delivers what is due and returns the channels that failed. What is not delivered is tried
/// again by a later run.
///
/// # Errors
/// When the database fails.
pub fn deliver(
    connection: &mut PgConnection,
    delivery: &Delivery<'_>,
    stdout: &mut dyn Write,
) -> Result<Vec<ChannelFailure>, StoreError> {
    fallback::hand_over(connection, delivery)?;
    let due = outbox::due_channels(connection, delivery.host, delivery.tick)?;
    let until = Instant::now() + delivery.config.budget;
    let to_refresh = refresh::channels(connection, delivery)?;
    let is_due = |channel: &&ChannelConfig| {
        due.contains(&channel.name) || to_refresh.contains(&channel.name)
    };
    let prints = |channel: &&ChannelConfig| channel.transport == Transport::Stdout;
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for channel in delivery.channels.iter().filter(is_due).filter(|one| !prints(one)) {
            let work =
                move || Worker { delivery, channel, until, samples: RefCell::default() }.work();
            let thread =
                thread::Builder::new().name(channel.name.clone()).spawn_scoped(scope, work);
            threads.push((channel, thread));
        }
        let mut failures = Vec::new();
        for name in &due {
            let channel = delivery.channels.iter().find(|channel| channel.name == *name);
            let failure = match channel {
                Some(channel) if !prints(&channel) => continue,
                None if name != STDOUT => forgotten(connection, delivery, name)?,
                _ => print(connection, delivery, name, stdout)?,
            };
            failures.extend(failure);
        }
        for (channel, thread) in threads {
            let done = match thread {
                Ok(thread) => {
                    thread.join().unwrap_or_else(|_| Err("ended unexpectedly".to_owned()))
                }
                Err(error) => Err(format!("cannot start a thread: {error}")),
            };
            match done {
                Ok(failure) => failures.extend(failure),
                Err(reason) => failures.push(ChannelFailure {
                    channel: channel.name.clone(),
                    reason,
                    tell: true,
                    given_up: 0,
                }),
            }
        }
        Ok(failures)
    })
}

/// Prints what is due, one line each, and notes it as delivered.
fn print(
    connection: &mut PgConnection,
    delivery: &Delivery<'_>,
    channel: &str,
    stdout: &mut dyn Write,
) -> Result<Option<ChannelFailure>, StoreError> {
    let Delivery { host, tick, .. } = *delivery;
    transaction(connection, Patience::Short, |connection| {
        let due = outbox::claim(connection, host, channel, tick, LINES_MOST)?;
        if due.is_empty() {
            return Ok(None);
        }
        let lines: String = due.iter().map(|due| message::line(due) + "\n").collect();
        let printed = stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush());
        match printed {
            Ok(()) => outbox::note_delivered(connection, &due, tick, None)?,
            // They are due again at once: what was wrong may be this run's output alone.
            Err(error) => {
                return Ok(Some(ChannelFailure {
                    channel: channel.to_owned(),
                    reason: format!("cannot write to standard output: {error}"),
                    tell: true,
                    given_up: 0,
                }));
            }
        }
        Ok(None)
    })
}

/// What is due for a channel that has left the config.
fn forgotten(
    connection: &mut PgConnection,
    delivery: &Delivery<'_>,
    channel: &str,
) -> Result<Option<ChannelFailure>, StoreError> {
    transaction(connection, Patience::Short, |connection| {
        let due = outbox::claim(connection, delivery.host, channel, delivery.tick, LINES_MOST)?;
        if due.is_empty() {
            return Ok(None);
        }
        let failure = Failure::of_channel("the config has no channel of that name");
        note_failure(connection, delivery, channel, None, &due, &failure).map(Some)
    })
}

fn note_failure(
    connection: &mut PgConnection,
    delivery: &Delivery<'_>,
    name: &str,
    channel: Option<&ChannelConfig>,
    due: &[Due],
    failure: &Failure,
) -> Result<ChannelFailure, StoreError> {
    let give_up_after = channel.map_or(DEFAULT_GIVE_UP_AFTER, |channel| channel.give_up_after);
    let Delivery { host, tick, .. } = *delivery;
    let given_up = outbox::note_failed(connection, due, failure, tick, give_up_after)?;
    let until = backoff::leave_alone_until(failure, tick.0);
    let tell = state::note_failure(connection, host, name, &failure.reason, until, tick)?;
    Ok(ChannelFailure { channel: name.to_owned(), reason: failure.reason.clone(), tell, given_up })
}

/// For what has no channel any more.
const DEFAULT_GIVE_UP_AFTER: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// Delivers for one channel.
struct Worker<'a> {
    delivery: &'a Delivery<'a>,
    channel: &'a ChannelConfig,
    until: Instant,
    samples: RefCell<Samples>,
}

/// What became of one message.
enum Step {
    NothingDue,
    Delivered,
    /// With whether the next message may do better.
    Failed(ChannelFailure, bool),
}

impl Worker<'_> {
    /// Delivers until nothing is due, the time is over, or the channel does not work.
    fn work(&self) -> Result<Option<ChannelFailure>, String> {
        let mut connection = self.delivery.connect.connect()?;
        let Some(sender) = channels::open(self.channel) else { return Ok(None) };
        let mut failed: Option<ChannelFailure> = None;
        let mut delivered = 0_usize;
        while Instant::now() < self.until && !self.delivery.stop.load(Ordering::Relaxed) {
            let step = transaction(&mut connection, Patience::Short, |connection| {
                self.step(connection, &sender)
            });
            match step.map_err(|error| error.to_string())? {
                Step::NothingDue => break,
                Step::Delivered => delivered += 1,
                Step::Failed(failure, goes_on) => {
                    let before = failed.take();
                    let given_up = failure.given_up + before.as_ref().map_or(0, |one| one.given_up);
                    let tell = failure.tell || before.is_some_and(|one| one.tell);
                    failed = Some(ChannelFailure { tell, given_up, ..failure });
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        if failed.is_none() && self.channel.is_refreshed() {
            match self.refresh(&mut connection, &sender).map_err(|error| error.to_string())? {
                Ok(refreshed) => delivered += refreshed,
                Err(failure) => failed = Some(failure),
            }
        }
        if delivered > 0 && failed.is_none() {
            self.note_success(&mut connection).map_err(|error| error.to_string())?;
        }
        Ok(failed)
    }

    fn note_success(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        let Delivery { host, tick, .. } = *self.delivery;
        let name = &self.channel.name;
        transaction(connection, Patience::Short, |connection| {
            if state::note_success(connection, host, name, tick)? {
                log::info!("channel {name} works again");
                state::hurry(connection, host, name, tick)?;
            }
            Ok(())
        })
    }

    /// Claims, sends and notes one message.
    fn step(
        &self,
        connection: &mut PgConnection,
        sender: &Arc<dyn Channel>,
    ) -> Result<Step, StoreError> {
        let Self { delivery, channel, .. } = self;
        // Sending takes longer than a server may let a transaction be idle.
        connection.batch_execute("set local idle_in_transaction_session_timeout = 0")?;
        let most = if channel.digest.is_some() { DIGEST_MOST } else { 1 };
        let due = outbox::claim(connection, delivery.host, &channel.name, delivery.tick, most)?;
        if due.is_empty() {
            return Ok(Step::NothingDue);
        }
        let message = self.message(connection, &due)?;
        let outcome = send_within(sender, message, self.patience());
        match outcome {
            Ok(remark) => {
                if let Some(remark) = &remark {
                    log::warn!("channel {}: {remark}", channel.name);
                }
                outbox::note_delivered(connection, &due, delivery.tick, remark.as_deref())?;
                Ok(Step::Delivered)
            }
            Err(failure) => {
                let goes_on = failure.is_about_message;
                let name = &channel.name;
                note_failure(connection, delivery, name, Some(channel), &due, &failure)
                    .map(|failure| Step::Failed(failure, goes_on))
            }
        }
    }

    /// Tells of what fires, and of what was over a moment ago, to who has been told of it before.
    /// Returns how many messages that took, or what the channel has against it.
    fn refresh(
        &self,
        connection: &mut PgConnection,
        sender: &Arc<dyn Channel>,
    ) -> Result<Result<usize, ChannelFailure>, StoreError> {
        let Delivery { host, tick, .. } = *self.delivery;
        let name = &self.channel.name;
        let due = transaction(connection, Patience::Short, |connection| {
            refresh::due(connection, host, name, tick).map_err(Into::into)
        })?;
        let mut sent = 0;
        for due in due.chunks(REFRESH_MOST) {
            if Instant::now() >= self.until || self.delivery.stop.load(Ordering::Relaxed) {
                break;
            }
            let message = transaction(connection, Patience::Short, |connection| {
                self.message(connection, due)
            })?;
            if let Err(failure) = send_within(sender, message, self.patience()) {
                return transaction(connection, Patience::Short, |connection| {
                    let until = backoff::leave_alone_until(&failure, tick.0);
                    let reason = failure.reason;
                    let tell = state::note_failure(connection, host, name, &reason, until, tick)?;
                    Ok(Err(ChannelFailure { channel: name.clone(), reason, tell, given_up: 0 }))
                });
            }
            sent += 1;
        }
        Ok(Ok(sent))
    }

    /// How long one attempt may take: no longer than the run has.
    fn patience(&self) -> Duration {
        let rest = self.until.saturating_duration_since(Instant::now());
        self.channel.timeout.min(rest).max(Duration::from_secs(1))
    }

    fn message(&self, connection: &mut PgConnection, due: &[Due]) -> Result<Message, StoreError> {
        let mut samples = self.samples.take();
        samples.look_up(connection, self.delivery, &self.channel.name, due)?;
        let notifications = due.iter().map(|one| Notification::new(one, samples.of(one))).collect();
        self.samples.replace(samples);
        let ChannelConfig { title, text, .. } = self.channel;
        let templates = Templates { title: title.as_deref(), text: text.as_deref() };
        Ok(Message::new(notifications, templates, self.delivery.tick))
    }
}
