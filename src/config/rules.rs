//! `[[rule]]`: from its table to a [`RuleConfig`].
//!
//! Which keys a rule needs and may have depends on its kind; one that its kind does not look at
//! is refused, since who wrote it meant something by it.

use std::collections::HashSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use chrono::TimeDelta;

use super::rule::{GroupBy, KEYS_OF_ENTRIES, KEYS_OF_KINDS, RuleConfig, RuleKind};
use super::section::Section;
use super::source::SourceConfig;
use super::words;
use super::{channels, validate, value};
use crate::model::{Level, LevelSet, Severity};

/// The database holds counts as `integer`.
const COUNTS: RangeInclusive<u32> = 1..=i32::MAX.unsigned_abs();
/// Patterns of a sequence.
const STEPS: RangeInclusive<usize> = 2..=5;

/// What the sources say that rules depend on.
pub(super) struct Sources<'a> {
    /// All that are right; none: nobody knows.
    pub(super) sources: &'a [SourceConfig],
}

impl Sources<'_> {
    /// The levels that are stored by some source; `None` where nobody knows.
    pub(super) fn stored(&self) -> Option<LevelSet> {
        stored_by(self.sources.iter())
    }

    /// Those that a rule judges.
    fn judged_by(&self, rule: &RuleConfig) -> impl Iterator<Item = &SourceConfig> + Clone {
        self.sources.iter().filter(|source| {
            rule.sources.as_ref().is_none_or(|named| {
                named.iter().any(|named| {
                    let path = Path::new(named);
                    source.name.as_ref() == Some(named)
                        || path.is_absolute() && source.reaches(path)
                })
            })
        })
    }

    /// Names by which rules may call them.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().filter_map(|source| source.name.as_deref())
    }
}

fn stored_by<'a>(sources: impl Iterator<Item = &'a SourceConfig> + Clone) -> Option<LevelSet> {
    sources.clone().next()?;
    Some(sources.flat_map(|source| source.store.iter()).collect())
}

/// `None` if a required key is missing or wrong, which has been reported then.
pub(super) fn rule(
    mut section: Section<'_, '_>,
    names: &mut HashSet<String>,
    sources: &Sources<'_>,
    channels: &[&str],
) -> Option<RuleConfig> {
    section.require(&["name", "kind"]);
    let name = section.string("name", value::name);
    validate::refuse_second(&mut section, name.as_ref(), names);
    let kind =
        section.string("kind", |text| value::choice(text, &RuleKind::ALL, RuleKind::as_str, &[]));
    if let Some(kind) = kind {
        check_keys(&mut section, kind);
    }
    // What else is wrong is to be reported as well.
    let name = name.unwrap_or_default();
    let mut rule = RuleConfig::new(&name, kind.unwrap_or(RuleKind::Threshold));
    read_entries(&mut section, &mut rule);
    read_kind(&mut section, &mut rule);
    read_common(&mut section, &mut rule, sources);
    rule.channels = section.strings("channels", |name| channels::known(name, channels));
    check_captures(&mut section, &rule);
    check_stored(&mut section, &rule, sources);
    section.is_right().then_some(rule)
}

fn check_keys(section: &mut Section<'_, '_>, kind: RuleKind) {
    let keys = kind.keys();
    section.require(keys.required);
    let mut others: Vec<&str> = KEYS_OF_KINDS.to_vec();
    match kind {
        RuleKind::Blind | RuleKind::Sql => others.extend(KEYS_OF_ENTRIES),
        RuleKind::Sequence => others.push("pattern"),
        _ => {}
    }
    if kind.is_one_shot() {
        others.extend(["for", "keep_firing"]);
    }
    for key in others {
        let belongs = keys.required.contains(&key) || keys.optional.contains(&key);
        if section.has(key) && !belongs {
            section.refuse(key, &format!("means nothing for a rule of kind {}", kind.as_str()));
        }
    }
}

/// Which entries count.
fn read_entries(section: &mut Section<'_, '_>, rule: &mut RuleConfig) {
    if let Some(levels) = validate::levels(section, "levels") {
        if levels.is_empty() {
            section.refuse("levels", "must name at least one level");
        }
        rule.levels = levels;
    }
    rule.pattern = section.string("pattern", value::text);
    rule.exclude = section.strings("exclude", value::pattern).unwrap_or_default();
    let more = section.string("exclude_file", exclude_file);
    rule.exclude.extend(more.into_iter().flatten());
    let matched = section.string("match", |text| {
        value::choice(text, &[false, true], |all| if all { "entry" } else { "line" }, &[])
    });
    rule.match_entry = matched.unwrap_or_default();
}

/// The patterns of a file, one a line; empty lines and those that begin with # are none.
fn exclude_file(path: &str) -> Result<Vec<String>, String> {
    let path = value::absolute_path(path)?;
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot be read: {error}"))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(value::pattern).collect()
}

/// What the kind asks for.
fn read_kind(section: &mut Section<'_, '_>, rule: &mut RuleConfig) {
    if let Some(count) = section.integer("count", COUNTS) {
        rule.count = count;
    }
    if let Some(within) = section.string("within", value::window) {
        rule.within = within;
    }
    rule.percent = section.value("percent", |number| value::number(number, 0.0, 100.0));
    rule.at_least = section.integer("at_least", COUNTS);
    rule.factor = section.value("factor", |number| value::number(number, 0.0, 1e9));
    if let Some(floor) = section.value("floor", |number| value::number(number, 0.0, 1e15)) {
        rule.floor = floor;
    }
    if let Some(lookback) = section.string("lookback", value::window) {
        rule.lookback = Some(lookback);
    }
    rule.clear_below = section.integer("clear_below", COUNTS);
    rule.stale_after = section.string("stale_after", value::window);
    rule.view = section.string("view", value::text);
    if let Some(value) = section.string("value", group_by) {
        rule.value = Some(value);
    }
    read_steps(section, rule);
    check_numbers(section, rule);
}

fn read_steps(section: &mut Section<'_, '_>, rule: &mut RuleConfig) {
    let steps = section.strings("steps", value::pattern);
    let follow_up = section.string("follow_up", value::text);
    if let Some(steps) = steps {
        if !STEPS.contains(&steps.len()) {
            section.refuse("steps", "must be two to five patterns");
        }
        rule.steps = steps;
    }
    if let Some((pattern, follow_up)) = rule.pattern.clone().zip(follow_up) {
        rule.steps = vec![pattern, follow_up];
    }
}

fn check_numbers(section: &mut Section<'_, '_>, rule: &mut RuleConfig) {
    if rule.clear_below.is_some_and(|clear_below| clear_below > rule.count) {
        section.refuse("clear_below", "must not be above count");
    }
    let buckets_of_minutes = matches!(rule.kind, RuleKind::Ratio | RuleKind::Blind);
    if buckets_of_minutes && rule.within.num_seconds() % 60 != 0 {
        section.refuse("within", "must be whole minutes, by which all lines are counted");
    }
    if rule.kind == RuleKind::Baseline && rule.lookback < Some(TimeDelta::days(14)) {
        section.refuse("lookback", "must be two weeks or more");
    }
    if rule.kind == RuleKind::Absence && rule.lookback <= Some(rule.within) {
        section.refuse("lookback", "must be longer than within");
    }
    if let Some(GroupBy::Source | GroupBy::Host | GroupBy::Level) = rule.value {
        section.refuse("value", "must be one of $1 to $9 or fields.NAME");
    }
    if rule.kind == RuleKind::Blind {
        if rule.percent.is_none() && (section.has("at_least") || section.has("within")) {
            section.refuse("percent", "is missing, without which at_least and within say nothing");
        }
        rule.at_least = rule.at_least.or(Some(1));
    }
}

/// What any kind may have.
fn read_common(section: &mut Section<'_, '_>, rule: &mut RuleConfig, sources: &Sources<'_>) {
    let names: Vec<&str> = sources.names().collect();
    rule.sources = section.strings("sources", |text| {
        // Paths may come from a glob or the command line: they are not known here.
        if text.starts_with('/') || names.contains(&text) || sources.sources.is_empty() {
            return Ok(text.to_owned());
        }
        Err(words::refusal(text, &names, &[]))
    });
    if rule.sources.as_ref().is_some_and(Vec::is_empty) {
        section.refuse("sources", "must name at least one source");
    }
    if let Some(groups) = section.strings("group_by", group_by) {
        rule.group_by = groups;
    }
    let severity = |text: &str| value::choice(text, &Severity::ALL, Severity::as_str, &[]);
    rule.severity = section.string("severity", severity).unwrap_or(Severity::Warning);
    rule.holds_for = section.string("for", value::length).unwrap_or_default();
    rule.keep_firing = section.string("keep_firing", value::length).unwrap_or_default();
    rule.active = section.string_or_strings("active", value::hours).unwrap_or_default();
    rule.remind_every = section.string("remind_every", value::window);
    rule.summary = section.string("summary", value::text);
    rule.runbook = section.string("runbook", value::text);
    check_groups(section, rule);
}

fn check_groups(section: &mut Section<'_, '_>, rule: &RuleConfig) {
    let by_source = || rule.group_by.iter().all(|by| *by == GroupBy::Source);
    match rule.kind {
        RuleKind::Ratio if !by_source() => section.refuse(
            "group_by",
            "must be [\"source\"] or []: what is not stored cannot be told apart otherwise",
        ),
        RuleKind::Blind if rule.group_by != [GroupBy::Source] => {
            section.refuse("group_by", "must be [\"source\"]: each source is blind by itself");
        }
        RuleKind::Sql if section.has("group_by") => {
            section.refuse("group_by", "means nothing: the view says the group");
        }
        _ => {}
    }
}

/// A capture needs the pattern that captures it.
fn check_captures(section: &mut Section<'_, '_>, rule: &RuleConfig) {
    let has_pattern = rule.pattern.is_some() || !rule.steps.is_empty();
    let captures = |by: &GroupBy| matches!(by, GroupBy::Capture(_));
    if has_pattern {
        return;
    }
    if rule.group_by.iter().any(captures) {
        section.refuse("group_by", "needs a pattern with parentheses for what $1 captures");
    } else if rule.value.as_ref().is_some_and(captures) {
        section.refuse("value", "needs a pattern with parentheses for what $1 captures");
    }
}

/// Each level that counts must be stored by a source, or the rule would be silent.
fn check_stored(section: &mut Section<'_, '_>, rule: &RuleConfig, sources: &Sources<'_>) {
    if rule.reads_only_counts() || !section.has("levels") && rule.levels == LevelSet::all() {
        return;
    }
    // What keep stores can have any level.
    let judged = sources.judged_by(rule);
    if rule.pattern.is_some() && judged.clone().any(|source| !source.keep.is_empty()) {
        return;
    }
    if let Some(missing) = not_stored(rule.levels, stored_by(judged)) {
        let no_source = if rule.sources.is_none() { "no source" } else { "none of its sources" };
        let message = format!(
            "needs entries of level {missing}, which {no_source} stores: add the level to \
             \"store\" of a source, or the lines to \"keep\""
        );
        section.refuse("levels", &message);
    }
}

/// The levels that are not stored, as a list; `None` if all are, or if nobody knows.
fn not_stored(levels: LevelSet, stored: Option<LevelSet>) -> Option<String> {
    let stored = stored?;
    let missing = levels.iter().filter(|&level| !stored.contains(level));
    let missing: Vec<_> = missing.map(Level::as_str).collect();
    (!missing.is_empty()).then(|| missing.join(" and "))
}

/// A built-in rule was not asked for, so it is no error that it cannot see everything.
pub(super) fn lacks_levels(rule: &RuleConfig, stored: LevelSet) -> Option<String> {
    let missing = not_stored(rule.levels, Some(stored))?;
    let name = &rule.name;
    Some(format!("the built-in rule {name:?} misses {missing}, which no source stores"))
}

fn group_by(text: &str) -> Result<GroupBy, String> {
    if let Some((_, word)) = GroupBy::WORDS.iter().find(|(word, _)| *word == text) {
        return Ok(word.clone());
    }
    if let Some(field) = text.strip_prefix("fields.").filter(|field| !field.is_empty()) {
        return Ok(GroupBy::Field(field.to_owned()));
    }
    let number = text.strip_prefix('$').and_then(|number| number.parse().ok());
    if let Some(number) = number.filter(|number| (1..=9).contains(number)) {
        return Ok(GroupBy::Capture(number));
    }
    Err(words::refusal(text, &GroupBy::NAMES, &[]))
}
