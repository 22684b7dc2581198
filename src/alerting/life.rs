//! What is to become of an alert at a tick: whether it fires, who is told, when it is over.
//!
//! ```text
//! pending --held for as long as its rule wants, within the active hours--> firing --> resolved
//!    \-------------------over before that-------------------------------------------->/
//! ```
//!
//! Pure: what is known of the alert and the silences goes in, a decision with its reason comes
//! out. The episode goes by event time, silences and reminders by the clock.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{Silence, Subject, WeeklyHours};

/// An open alert, as far as deciding needs it.
#[derive(Clone, Debug)]
pub(super) struct Alert {
    pub(super) id: i64,
    pub(super) rule_id: i64,
    pub(super) rule: String,
    pub(super) group: String,
    pub(super) source: String,
    pub(super) path: String,
    pub(super) severity: String,
    pub(super) started_at: DateTime<Utc>,
    /// `None`: it does not end by itself.
    pub(super) ended_at: Option<DateTime<Utc>>,
    /// Whether the complete data no longer give it.
    pub(super) is_retracted: bool,
    /// How long it has to hold.
    pub(super) holds_for: TimeDelta,
    /// Within which hours; none: any.
    pub(super) active: Vec<WeeklyHours>,
    pub(super) remind_every: Option<TimeDelta>,
    /// Whether its rule has left the config.
    pub(super) is_rule_retired: bool,
    pub(super) fired_at: Option<DateTime<Utc>>,
    pub(super) told_at: Option<DateTime<Utc>>,
    pub(super) held_back: Option<HeldBack>,
    pub(super) is_acked: bool,
    pub(super) reminders: i32,
}

/// Why people are not told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeldBack {
    /// It has not held for long enough.
    For,
    /// It is outside the hours of its rule.
    Hours,
    Silenced,
    /// Too many alerts of its rule began to fire in one run.
    Storm,
}

impl HeldBack {
    const ALL: [Self; 4] = [Self::For, Self::Hours, Self::Silenced, Self::Storm];

    /// The name in the database.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::For => "for",
            Self::Hours => "hours",
            Self::Silenced => "silenced",
            Self::Storm => "storm",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// A message to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Fired,
    Reminder,
    Resolved,
    /// It is one of many: they are told how many.
    Storm,
}

impl Message {
    /// The name in the database.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Reminder => "reminder",
            Self::Resolved => "resolved",
            Self::Storm => "storm",
        }
    }
}

/// What was decided, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// Its name; `None`: nothing that anybody would ask about.
    pub(super) name: Option<&'static str>,
    pub(super) reason: Option<String>,
    pub(super) message: Option<Message>,
    pub(super) fired_at: Option<DateTime<Utc>>,
    pub(super) resolved_at: Option<DateTime<Utc>>,
    pub(super) told_at: Option<DateTime<Utc>>,
    pub(super) held_back: Option<HeldBack>,
    /// When to look at it again.
    pub(super) look_at: Option<DateTime<Utc>>,
    pub(super) reminders: i32,
}

/// What holds for all alerts of a source at a tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now<'a> {
    pub(super) tick: DateTime<Utc>,
    /// The tick at which the reader last stood at the end of the source; `None` while it is behind.
    pub(super) read_to_end_at: Option<DateTime<Utc>>,
    /// Silences that nobody has ended.
    pub(super) silences: &'a [Silence],
}

/// Decides about an open alert. `is_storm` is asked when people would be told that it fires:
/// whether they are told of too many alerts of its rule already.
pub(super) fn decide(
    alert: &Alert,
    now: &Now<'_>,
    is_storm: impl FnOnce() -> bool,
) -> Option<Decision> {
    let end = why_over(alert, now);
    match (alert.fired_at, end) {
        (None, end) => begin(alert, now, end, is_storm),
        (Some(_), Some(end)) => Some(Decision {
            message: alert.told_at.is_some().then_some(Message::Resolved),
            resolved_at: Some(now.tick),
            ..alert.decision(end)
        }),
        (Some(_), None) if alert.told_at.is_none() => Some(go_on_untold(alert, now, is_storm)),
        (Some(_), None) => remind(alert, now),
    }
}

/// Why it is over, by the name of the decision; `None` if it is not.
fn why_over(alert: &Alert, now: &Now<'_>) -> Option<&'static str> {
    let is_past = alert.ended_at.zip(now.read_to_end_at).is_some_and(|(end, read)| end <= read);
    if alert.is_retracted {
        Some("withdrawn")
    } else if is_past {
        Some("resolved")
    } else {
        // What ends by itself ends at its time, as the rule may come back before.
        (alert.is_rule_retired && alert.ended_at.is_none()).then_some("retired")
    }
}

/// What becomes of one that has not fired yet.
fn begin(
    alert: &Alert,
    now: &Now<'_>,
    end: Option<&'static str>,
    is_storm: impl FnOnce() -> bool,
) -> Option<Decision> {
    match (alert.begins(now.tick), end) {
        // What is over is told as both.
        (Ok(()), _) if !alert.is_retracted => Some(tell(alert, now, "fired", end, is_storm)),
        (_, Some(end)) => {
            let name = match (end, alert.begins(now.tick)) {
                ("resolved", Err(HeldBack::Hours)) => "outside_hours",
                ("resolved", _) => "too_short",
                (end, _) => end,
            };
            Some(Decision { resolved_at: Some(now.tick), ..alert.decision(name) })
        }
        (Err(held_back), None) if alert.held_back != Some(held_back) => Some(Decision {
            reason: alert.wait(held_back),
            held_back: Some(held_back),
            ..alert.decision("pending")
        }),
        _ => None,
    }
}

/// People are told, unless something keeps them from it.
fn tell(
    alert: &Alert,
    now: &Now<'_>,
    name: &'static str,
    end: Option<&'static str>,
    is_storm: impl FnOnce() -> bool,
) -> Decision {
    let fired = Decision {
        fired_at: alert.fired_at.or(Some(now.tick)),
        resolved_at: end.map(|_| now.tick),
        held_back: None,
        look_at: None,
        ..alert.decision(name)
    };
    if let Some((silence, until)) = silence(alert, now) {
        return Decision {
            name: Some("silenced"),
            reason: Some(format!("silence {silence}")),
            held_back: Some(HeldBack::Silenced),
            look_at: until.filter(|_| end.is_none()),
            ..fired
        };
    }
    if is_storm() {
        return Decision {
            name: Some("storm"),
            message: Some(Message::Storm),
            held_back: Some(HeldBack::Storm),
            ..fired
        };
    }
    let message = if end.is_some() { Message::Resolved } else { Message::Fired };
    Decision {
        message: Some(message),
        told_at: Some(now.tick),
        look_at: alert.remind_every.filter(|_| end.is_none()).map(|every| now.tick + every),
        ..fired
    }
}

/// One that fires while people were not told of it.
fn go_on_untold(alert: &Alert, now: &Now<'_>, is_storm: impl FnOnce() -> bool) -> Decision {
    // It has been looked at: not at every tick from now on.
    let looked_at = Decision { name: None, ..alert.decision("looked_at") };
    if alert.held_back == Some(HeldBack::Storm) {
        return looked_at;
    }
    if let Some((_, until)) = silence(alert, now) {
        return Decision { name: None, look_at: until, ..alert.decision("silenced") };
    }
    if alert.is_acked && alert.held_back.is_none() {
        return looked_at;
    }
    if alert.is_acked {
        return Decision {
            held_back: None,
            look_at: None,
            reason: Some("the silence is over, and somebody has taken it on".to_owned()),
            ..alert.decision("not_told")
        };
    }
    tell(alert, now, "silence_over", None, is_storm)
}

/// One that people were told of and that fires still.
fn remind(alert: &Alert, now: &Now<'_>) -> Option<Decision> {
    let Some(every) = alert.remind_every else {
        return Some(Decision { name: None, ..alert.decision("reminder") });
    };
    let due = alert.told_at? + every;
    if alert.is_acked || now.tick < due {
        // It may have been due by what the rule said before.
        let look_at = (!alert.is_acked).then_some(due);
        return Some(Decision { name: None, look_at, ..alert.decision("reminder") });
    }
    if let Some((silence, until)) = silence(alert, now) {
        return Some(Decision {
            reason: Some(format!("no reminder: silence {silence}")),
            look_at: until,
            ..alert.decision("silenced")
        });
    }
    if let Some(next) = alert.next_active(now.tick)
        && next > now.tick
    {
        return Some(Decision { name: None, look_at: Some(next), ..alert.decision("reminder") });
    }
    Some(Decision {
        message: Some(Message::Reminder),
        told_at: Some(now.tick),
        look_at: Some(now.tick + every),
        reminders: alert.reminders + 1,
        ..alert.decision("reminder")
    })
}

/// A silence about the alert, and until when one holds.
fn silence(alert: &Alert, now: &Now<'_>) -> Option<(i64, Option<DateTime<Utc>>)> {
    let subject = Subject {
        rule: &alert.rule,
        group: &alert.group,
        source: &alert.source,
        path: &alert.path,
        severity: &alert.severity,
    };
    let mut holding = now
        .silences
        .iter()
        .filter(|silence| silence.holds_at(now.tick) && silence.is_about(&subject));
    holding.next().map(|silence| (silence.id, silence.until(now.tick)))
}

impl Alert {
    /// A decision that changes nothing.
    fn decision(&self, name: &'static str) -> Decision {
        Decision {
            name: Some(name),
            reason: None,
            message: None,
            fired_at: self.fired_at,
            resolved_at: None,
            told_at: self.told_at,
            held_back: self.held_back,
            look_at: None,
            reminders: self.reminders,
        }
    }

    /// Whether it has held long enough, and within the active hours; what it waits for otherwise.
    fn begins(&self, tick: DateTime<Utc>) -> Result<(), HeldBack> {
        let held = self.started_at + self.holds_for;
        let is_before_end = |time: DateTime<Utc>| self.ended_at.is_none_or(|end| time <= end);
        // The clock of a log may be ahead of ours: what holds from its first moment holds now.
        let is_reached = |time: DateTime<Utc>| time == self.started_at || time <= tick;
        if !is_before_end(held) || !is_reached(held) {
            return Err(HeldBack::For);
        }
        match self.next_active(held) {
            Some(active) if is_before_end(active) && is_reached(active) => Ok(()),
            _ => Err(HeldBack::Hours),
        }
    }

    /// The first moment from `time` on that lies in the active hours.
    fn next_active(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.active.is_empty() {
            return Some(time);
        }
        self.active.iter().filter_map(|hours| hours.next(time)).min()
    }

    /// What a pending alert waits for, in words.
    fn wait(&self, held_back: HeldBack) -> Option<String> {
        let held = self.started_at + self.holds_for;
        match held_back {
            HeldBack::For => Some(format!("fires if it holds until {held}")),
            HeldBack::Hours => {
                self.next_active(held).map(|at| format!("its active hours begin at {at}"))
            }
            HeldBack::Silenced | HeldBack::Storm => None,
        }
    }
}

#[cfg(test)]
mod tests;
