//! One source and one rule, told in seconds: two ERROR entries within a minute.
//!
//! Entries at 1 and 2 so make the rule hold from 2 to 61. Alerts are called A, B, ... in the
//! order in which they were recorded.

use tripline::alerting;
use tripline::model::Tick;

use crate::bench::{Alert, Bench, Log, tick};
use crate::oracle::{Line, Rule, SECOND};

pub(crate) const HOST: &str = "h";

pub(crate) struct Scene {
    pub(crate) bench: Bench,
    pub(crate) logs: Vec<Log>,
    /// Messages that a step has returned already.
    returned: usize,
}

/// The rule.
pub(crate) fn pair() -> Rule {
    Rule { name: "pair".to_owned(), count: 2, ..Rule::default() }
}

/// The tick at a second.
pub(crate) fn second(second: i64) -> Tick {
    tick(second * SECOND)
}

/// ERROR entries at these seconds.
pub(crate) fn errors_at(seconds: &[i64]) -> Vec<Line> {
    seconds.iter().map(|second| Line::error(second * SECOND, "disk full")).collect()
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with_rules(HOST, &[pair()])
    }

    /// The rules of another host than the source's, or others.
    pub(crate) fn with_rules(host: &str, rules: &[Rule]) -> Self {
        let mut bench = Bench::new();
        let logs = vec![bench.log(HOST, "/log")];
        let mut scene = Self { bench, logs, returned: 0 };
        scene.sync(host, rules, 0);
        scene
    }

    pub(crate) fn sync(&mut self, host: &str, rules: &[Rule], now: i64) {
        let rules: Vec<_> = rules.iter().map(Rule::config).collect();
        self.bench.sync(host, &rules, second(now)).unwrap();
    }

    /// Reads entries to the end of the file, evaluates and announces; returns what is announced.
    pub(crate) fn run(&mut self, now: i64, entries: &[i64]) -> String {
        self.store(now, entries, true);
        self.alert(now)
    }

    /// The same where the reader does not get to the end.
    pub(crate) fn run_behind(&mut self, now: i64, entries: &[i64]) -> String {
        self.store(now, entries, false);
        self.alert(now)
    }

    /// Only reads.
    pub(crate) fn store(&mut self, now: i64, entries: &[i64], at_end: bool) {
        self.bench.store(&mut self.logs[0], None, &errors_at(entries), second(now), at_end);
    }

    /// Only evaluates and announces. Doing it again must change nothing.
    pub(crate) fn alert(&mut self, now: i64) -> String {
        self.alert_once(now);
        let content = self.bench.content(&self.logs);
        self.alert_once(now);
        assert_eq!(content, self.bench.content(&self.logs), "the second time changed something");
        self.announced()
    }

    fn alert_once(&mut self, now: i64) {
        self.evaluate_only(now);
        self.announce(now);
    }

    fn announce(&mut self, now: i64) {
        for log in &self.logs {
            self.bench.announce(log, second(now));
        }
    }

    /// Only announces.
    pub(crate) fn announce_only(&mut self, now: i64) -> String {
        self.announce(now);
        self.announced()
    }

    /// Only evaluates: what a run does between two chunks.
    pub(crate) fn evaluate_only(&mut self, now: i64) {
        for log in &self.logs {
            alerting::evaluate(&mut self.bench.connection, log.id, second(now)).unwrap();
        }
    }

    /// What was announced since the last step: `A fired 1, B resolved 2`.
    fn announced(&mut self) -> String {
        let alerts = self.bench.alerts(&self.logs);
        let notifications = self.bench.notifications(&self.logs);
        let new = &notifications[self.returned..];
        self.returned = notifications.len();
        let told: Vec<String> = new
            .iter()
            .map(|one| format!("{} {} {}", letter(&alerts, one.alert_id), one.kind, one.number))
            .collect();
        told.join(", ")
    }

    /// All alerts: `A 2-61, B in A`.
    pub(crate) fn alerts(&mut self) -> String {
        let alerts = self.bench.alerts(&self.logs);
        let shown: Vec<String> = alerts
            .iter()
            .map(|alert| {
                let (name, episode) = (letter(&alerts, alert.id), alert.episode());
                match alert.merged_into {
                    Some(survivor) => format!("{name} in {}", letter(&alerts, survivor)),
                    None => format!(
                        "{name} {}-{}",
                        episode.started_at / SECOND,
                        episode.ended_at / SECOND
                    ),
                }
            })
            .collect();
        shown.join(", ")
    }
}

fn letter(alerts: &[Alert], id: i64) -> char {
    let place = alerts.iter().position(|alert| alert.id == id).unwrap();
    char::from(b'A' + u8::try_from(place).unwrap())
}
