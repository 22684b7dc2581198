//! What the views say of new lines.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Timestamptz};

use super::super::interval::{Change, Hot, Key, Measure, Nature, Replaces};
use super::super::judge::Concerned;
use super::super::slice::ids;
use super::table::until;
use crate::model::{EventTime, SourceId};
use crate::store::StoreError;

/// An interval that cannot be judged yet.
pub(in crate::alerting) struct Waiting {
    /// Whose.
    pub(in crate::alerting) source: SourceId,
    /// From when the rule would hold.
    pub(in crate::alerting) hot_from: DateTime<Utc>,
    /// When that can be judged.
    pub(in crate::alerting) known_from: DateTime<Utc>,
}

/// The views of a kind, and how what they say changes what is kept.
///
/// One view over all kinds would take a tenth of a second to plan.
pub(super) fn views(kind: &str) -> &'static [(&'static str, Replaces)] {
    match kind {
        "hysteresis" => &[("hysteresis_hot", Replaces::Join)],
        "new" => &[("new_hot", Replaces::Join)],
        "sequence" => &[("sequence_hot", Replaces::Join)],
        "ratio" => &[("ratio_hot", Replaces::Key)],
        "spike" => &[("spike_hot", Replaces::Key)],
        "baseline" => &[("baseline_hot", Replaces::Key)],
        "distinct" => &[("distinct_hot", Replaces::Key)],
        "missing_follow_up" => &[("missing_follow_up_hot", Replaces::Key)],
        "absence" => &[("silence_hot", Replaces::Range)],
        "blind" => &[("unparsed_hot", Replaces::Key), ("unreadable_hot", Replaces::Key)],
        _ => &[],
    }
}

/// The views of these kinds, and whom they are asked about. Each stands there once: the silence of
/// blind rules and absence have the same.
pub(super) fn views_of(
    kinds: impl IntoIterator<Item = (String, Concerned)>,
) -> BTreeMap<(&'static str, Replaces), Concerned> {
    let mut asked: BTreeMap<_, Concerned> = BTreeMap::new();
    for (kind, concerned) in kinds {
        let silence = if kind == "blind" { views("absence") } else { &[] };
        for view in views(&kind).iter().chain(silence) {
            asked.entry(*view).or_default().extend(&concerned);
        }
    }
    asked
}

/// What views say, by source.
pub(super) type BySource = BTreeMap<SourceId, Vec<(ChangeRow, Replaces)>>;

/// Adds what a view says of the new lines of sources.
pub(super) fn changes_of(
    connection: &mut PgConnection,
    (view, replaces): (&'static str, Replaces),
    concerned: &Concerned,
    found: &mut BySource,
) -> Result<(), StoreError> {
    // Only names that stand above get into the statement.
    let statement = match replaces {
        Replaces::Join => include_str!("../joined_changes.sql").replace("{view}", view),
        Replaces::Key | Replaces::Range => include_str!("../hot_changes.sql")
            .replace("{view}", view)
            .replace("{replaces_range}", &(replaces == Replaces::Range).to_string()),
    };
    let rows = diesel::sql_query(statement)
        .bind::<Array<BigInt>, _>(concerned.sources())
        .bind::<Array<BigInt>, _>(concerned.rules())
        .load::<ChangeRow>(connection)?;
    for row in rows {
        found.entry(SourceId(row.source_id)).or_default().push((row, replaces));
    }
    Ok(())
}

/// Of what the views say of a source, what can be judged now and what cannot.
pub(super) fn split(
    source: SourceId,
    rows: Vec<(ChangeRow, Replaces)>,
    read_until: Option<DateTime<Utc>>,
) -> (Vec<(ChangeRow, Replaces)>, Vec<Waiting>) {
    let mut waiting = Vec::new();
    let mut known = Vec::new();
    for (row, replaces) in rows {
        match row.known_from {
            Some(known_from) if row.is_hot && Some(known_from) > read_until => {
                waiting.push(Waiting { source, hot_from: row.hot_from, known_from });
                // What was foreseen for that time is no longer so.
                if replaces == Replaces::Range {
                    known.push((ChangeRow { is_hot: false, ..row }, replaces));
                }
            }
            _ => known.push((row, replaces)),
        }
    }
    (known, waiting)
}

#[derive(QueryableByName)]
pub(super) struct ChangeRow {
    #[diesel(sql_type = BigInt)]
    source_id: i64,
    #[diesel(sql_type = BigInt)]
    rule_id: i64,
    #[diesel(sql_type = Text)]
    group_key: String,
    #[diesel(sql_type = Timestamptz)]
    hot_from: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    hot_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    full_from: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    known_from: Option<DateTime<Utc>>,
    #[diesel(sql_type = Double)]
    measured: f64,
    #[diesel(sql_type = Bool)]
    is_hot: bool,
}

impl ChangeRow {
    pub(super) fn into_change(self, replaces: Replaces, natures: &Natures) -> (Key, Change) {
        let rule = natures.get(&self.rule_id);
        // What was there before the rule is known.
        let known_until =
            rule.filter(|rule| rule.nature.quiet_wins).and_then(|rule| rule.learned_until);
        let hot = Hot {
            from: self.hot_from.into(),
            until: until(self.hot_until),
            full_from: self
                .full_from
                .map(EventTime::from)
                .filter(|from| known_until.is_none_or(|until| *from > until)),
            measured: self.measured,
        };
        let key = Key { rule_id: self.rule_id, group: self.group_key };
        (key, Change { hot, is_hot: self.is_hot, replaces })
    }
}

/// What of a rule matters here.
pub(super) struct RuleNature {
    pub(super) nature: Nature,
    /// It is new, and only learns what there is up to this time.
    pub(super) learned_until: Option<EventTime>,
}

/// What matters of the rules that judge a source, by their numbers.
pub(super) type Natures = BTreeMap<i64, RuleNature>;

pub(super) fn natures_of(
    connection: &mut PgConnection,
    source: SourceId,
) -> Result<Natures, StoreError> {
    Ok(natures(connection, &[source])?.remove(&source).unwrap_or_default())
}

/// Those of several sources, if there is any.
pub(super) fn natures(
    connection: &mut PgConnection,
    sources: &[SourceId],
) -> Result<BTreeMap<SourceId, Natures>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        source_id: i64,
        #[diesel(sql_type = BigInt)]
        rule_id: i64,
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = BigInt)]
        keep_firing: i64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        learned_until: Option<DateTime<Utc>>,
    }
    if sources.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = diesel::sql_query(include_str!("../natures.sql"))
        .bind::<Array<BigInt>, _>(ids(sources))
        .load::<Row>(connection)?;
    let mut natures: BTreeMap<SourceId, Natures> = BTreeMap::new();
    for row in rows {
        let nature = Nature {
            is_one_shot: matches!(row.kind.as_str(), "new" | "sequence"),
            quiet_wins: row.kind == "new",
            measure: match row.kind.as_str() {
                "absence" => Measure::Fewest,
                "missing_follow_up" => Measure::Sum,
                _ => Measure::Most,
            },
            keep_firing: row.keep_firing,
        };
        let learned_until = row.learned_until.map(EventTime::from);
        let of_source = natures.entry(SourceId(row.source_id)).or_default();
        of_source.insert(row.rule_id, RuleNature { nature, learned_until });
    }
    Ok(natures)
}
