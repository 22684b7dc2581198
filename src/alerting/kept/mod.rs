//! Rules whose intervals are kept: all but the plain thresholds.
//!
//! The alerts of a threshold can be told from new entries and stored alerts alone. For the other
//! kinds `hot_intervals` keeps what the views have found, because late entries may take it
//! back, or because an interval says more than the alert that it gives.

mod changes;
mod table;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;

use self::changes::{BySource, ChangeRow, changes_of, split, views_of};
use self::table::{Touched, forget, keep, kept_near, stored_near, write_cuts};
use super::interval::{self, Change, Episode, FOREVER, Hot, Key, Replaces};
use super::judge::{Concerned, record};
use super::slice::Slice;
use crate::config::{RuleConfig, RuleKind};
use crate::model::{EventTime, SourceId, Tick};
use crate::store::StoreError;

pub(super) use self::changes::Waiting;
use self::changes::{Natures, natures, natures_of};

/// Asks the views of rules of each kind about slices and records the alerts. Returns what has to
/// wait until more is read.
pub(super) fn evaluate(
    connection: &mut PgConnection,
    slices: &[&Slice],
    by_kind: BTreeMap<String, Concerned>,
    tick: Tick,
) -> Result<Vec<Waiting>, StoreError> {
    let mut found = BySource::new();
    for (view, concerned) in views_of(by_kind) {
        changes_of(connection, view, &concerned, &mut found)?;
    }
    let mut all_waiting = Vec::new();
    let mut known = Vec::new();
    for slice in slices {
        let Some(rows) = found.remove(&slice.source) else { continue };
        let (rows, waiting) = split(slice.source, rows, slice.read_until);
        all_waiting.extend(waiting);
        if !rows.is_empty() {
            known.push((slice.source, rows));
        }
    }
    let sources: Vec<SourceId> = known.iter().map(|(source, _)| *source).collect();
    let natures = natures(connection, &sources)?;
    for (source, rows) in known {
        let Some(natures) = natures.get(&source) else { continue };
        write(connection, source, &changes_by_key(rows, natures), natures, tick)?;
    }
    Ok(all_waiting)
}

/// What the views of a rule are found by; `None`: it is a plain threshold.
pub(super) fn kind_in_views(rule: &RuleConfig) -> Option<&'static str> {
    match rule.kind {
        RuleKind::Threshold => rule.clear_below.map(|_| "hysteresis"),
        kind => Some(kind.as_str()),
    }
}

/// The views that say when a rule holds; `None`: it is a plain threshold.
pub(super) fn names_of_views(rule: &RuleConfig) -> Option<Vec<&'static str>> {
    let kind = kind_in_views(rule)?.to_owned();
    Some(views_of([(kind, Concerned::default())]).into_keys().map(|(view, _)| view).collect())
}

/// The episodes of a rule of which nothing was kept so far. Nothing is recorded.
pub(super) fn episodes(
    connection: &mut PgConnection,
    source: SourceId,
    kind: &str,
    rule: i64,
    read_until: Option<DateTime<Utc>>,
) -> Result<Vec<Episode>, StoreError> {
    let mut found = BySource::new();
    for (view, concerned) in views_of([(kind.to_owned(), Concerned::one(source, rule))]) {
        // What could not be read when is known of the present only.
        if view.0 != "unreadable_hot" {
            changes_of(connection, view, &concerned, &mut found)?;
        }
    }
    let (rows, _) = split(source, found.remove(&source).unwrap_or_default(), read_until);
    let natures = natures_of(connection, source)?;
    Ok(episodes_of(&changes_by_key(rows, &natures), &natures))
}

/// The episodes that changes give where nothing is kept.
pub(super) fn episodes_of_changes(
    connection: &mut PgConnection,
    source: SourceId,
    changes: &BTreeMap<Key, Vec<Change>>,
) -> Result<Vec<Episode>, StoreError> {
    Ok(episodes_of(changes, &natures_of(connection, source)?))
}

fn episodes_of(changes: &BTreeMap<Key, Vec<Change>>, natures: &Natures) -> Vec<Episode> {
    let of_group = |(key, changes): (&Key, &Vec<Change>)| {
        let nature = natures.get(&key.rule_id)?.nature;
        Some(interval::episodes(key, &interval::changed(&[], changes, nature), nature))
    };
    changes.iter().filter_map(of_group).flatten().collect()
}

fn changes_by_key(
    rows: Vec<(ChangeRow, Replaces)>,
    natures: &Natures,
) -> BTreeMap<Key, Vec<Change>> {
    let mut changes: BTreeMap<Key, Vec<Change>> = BTreeMap::new();
    for (row, replaces) in rows {
        let (key, change) = row.into_change(replaces, natures);
        changes.entry(key).or_default().push(change);
    }
    changes
}

/// Changes what is kept of a source, and its alerts accordingly.
pub(super) fn apply(
    connection: &mut PgConnection,
    source: SourceId,
    changes: &BTreeMap<Key, Vec<Change>>,
    tick: Tick,
) -> Result<(), StoreError> {
    let natures = natures_of(connection, source)?;
    write(connection, source, changes, &natures, tick)
}

fn write(
    connection: &mut PgConnection,
    source: SourceId,
    changes: &BTreeMap<Key, Vec<Change>>,
    natures: &Natures,
    tick: Tick,
) -> Result<(), StoreError> {
    let near = changes.iter().map(|(key, changes)| {
        let from = changes.iter().map(|change| change.hot.from).min();
        let until = changes.iter().map(|change| change.hot.until).max();
        (key.clone(), (from.unwrap_or(FOREVER), until.unwrap_or(FOREVER)))
    });
    let kept = kept_near(connection, source, &near.collect())?;
    let touched = settle(connection, source, changes, &kept, natures)?;
    if !touched.is_empty() {
        bring_alerts_up_to_date(connection, source, touched, natures, tick)?;
    }
    Ok(())
}

/// Writes what has changed of the intervals, and returns where.
fn settle(
    connection: &mut PgConnection,
    source: SourceId,
    changes: &BTreeMap<Key, Vec<Change>>,
    kept: &BTreeMap<Key, Vec<Hot>>,
    natures: &Natures,
) -> Result<Touched, StoreError> {
    let (mut forgotten, mut written) = (Vec::new(), Vec::new());
    let mut touched = Touched::new();
    for (key, changes) in changes {
        let Some(rule) = natures.get(&key.rule_id) else { continue };
        let before = kept.get(key).map(Vec::as_slice).unwrap_or_default();
        let after = interval::changed(before, changes, rule.nature);
        let mut touch = |hot: &Hot| {
            let until = EventTime(hot.until.0.saturating_add(rule.nature.keep_firing));
            let hull = touched.entry(key.clone()).or_insert((hot.from, until));
            *hull = (hull.0.min(hot.from), hull.1.max(until));
        };
        for hot in before.iter().filter(|hot| !after.contains(hot)) {
            touch(hot);
            if !after.iter().any(|other| other.from == hot.from) {
                forgotten.push((key.clone(), hot.from));
            }
        }
        for hot in after.into_iter().filter(|hot| !before.contains(hot)) {
            touch(&hot);
            written.push((key.clone(), hot));
        }
    }
    forget(connection, source, &forgotten)?;
    keep(connection, source, &written)?;
    Ok(touched)
}

/// Brings the alerts of the touched groups to what is kept now.
fn bring_alerts_up_to_date(
    connection: &mut PgConnection,
    source: SourceId,
    mut touched: Touched,
    natures: &Natures,
    tick: Tick,
) -> Result<(), StoreError> {
    let stored = stored_near(connection, source, &touched)?;
    for alert in &stored {
        if let Some(hull) = touched.get_mut(&alert.key) {
            *hull = (hull.0.min(alert.started_at), hull.1.max(alert.ended_at));
        }
    }
    // An interval that ends shortly before may be held on until then.
    for (key, hull) in &mut touched {
        let keep_firing = natures.get(&key.rule_id).map_or(0, |rule| rule.nature.keep_firing);
        hull.0 = EventTime(hull.0.0.saturating_sub(keep_firing));
    }
    let kept = kept_near(connection, source, &touched)?;
    let mut episodes: Vec<Episode> = Vec::new();
    for (key, hots) in &kept {
        let Some(rule) = natures.get(&key.rule_id) else { continue };
        let found = interval::episodes(key, hots, rule.nature).into_iter();
        // Of what is only learned, there is an alert about what goes on.
        let learned = rule.learned_until;
        episodes.extend(found.filter(|one| learned.is_none_or(|until| one.ended_at > until)));
    }
    let cuts = interval::cuts(&stored, &episodes);
    write_cuts(connection, source, &cuts, tick)?;
    record(connection, source, &episodes, tick)
}
